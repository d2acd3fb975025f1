#include "runtime/passes.h"

#include <numeric>

#include "runtime/window_over.h"

namespace concertina::runtime {
namespace {

constexpr auto kFloat = static_cast<std::int64_t>(sizeof(float));

// Winograd's algorithm makes rows by two or four and may read four times the weights; which kernel runs a
// layer is not known yet.
constexpr int kUnit = 4;
constexpr std::int64_t kTransformed = 4;

bool may_be_transformed(const kernels::WindowArgs& w) {
  return w.kernel_h == 3 && w.kernel_w == 3 && w.stride_h == 1 && w.stride_w == 1;
}

/// Whether every row sees something of the input.
bool sees_rows(const kernels::WindowArgs& w) {
  return rows_seen(w, {0, 1}).count() > 0 && rows_seen(w, {w.out_h - 1, w.out_h}).count() > 0;
}

class PassChooser {
 public:
  PassChooser(const PlanSource& source, const std::vector<PixelLayout>& layouts)
      : program_(source.program),
        source_(source),
        layouts_(layouts),
        policy_(source.bands),
        reads_(source.program.values.size()),
        shared_(source.program.values.size()) {
    for (const Operation& step : program_.steps) {
      for (const ValueId id : step.inputs) ++reads_[id];
      if (step.residual != kNone) ++reads_[step.residual];
    }
    for (const ValueId id : program_.outputs) ++reads_[id];
    for (ValueId id = 0; id < static_cast<ValueId>(program_.values.size()); ++id) {
      const ValueId root = source.storage.placement(id).root;
      if (root != id) shared_[id] = shared_[root] = true;
    }
  }

  std::vector<Pass> run() const {
    const int steps = static_cast<int>(program_.steps.size());
    std::vector<Pass> passes;
    for (int begin = 0; begin < steps; begin = passes.back().end) {
      passes.push_back(best_from(begin, steps));
    }
    return passes;
  }

 private:
  const Operation& step(int i) const { return program_.steps[i]; }

  Pass best_from(int begin, int steps) const {
    Pass best{begin, begin + 1};
    std::int64_t most = 0;
    std::vector<BandLayer> layers;
    for (int i = begin; i < steps && layers.size() < kMaxBandLayers; ++i) {
      if (i > begin && !follows(i)) break;
      const std::optional<BandLayer> layer = band_layer(source_, step(i));
      if (!layer || layouts_[step(i).output].plain) break;
      layers.push_back(*layer);
      if (i == begin) continue;
      const std::int64_t saved = saving(begin, layers);
      if (saved <= most) continue;
      most = saved;
      best.end = i + 1;
    }
    return best;
  }

  /// Whether step i reads what the step before it makes, and nobody else does.
  bool follows(int i) const {
    const ValueId between = step(i - 1).output;
    return step(i).inputs == std::vector{between} && reads_[between] == 1 && !shared_[between];
  }

  std::int64_t row_bytes(ValueId id) const {
    return std::int64_t{program_.value(id).width} * layouts_[id].stride * kFloat;
  }

  std::int64_t weight_bytes(const Operation& step, const kernels::WindowArgs& window) const {
    const auto* conv = std::get_if<op::Conv>(&source_.network.graph.node(step.node).op);
    if (conv == nullptr) return 0;
    const auto features = [&](ValueId id) {
      std::int64_t sum = 0;
      for (const PixelSegment& segment : layouts_[id].segments) sum += segment.count;
      return sum;
    };
    const std::int64_t inputs =
        conv->groups > 1 ? conv->in_channels / conv->groups : features(step.inputs[0]);
    return inputs * features(step.output) * window.taps() * kFloat *
           (conv->groups == 1 && may_be_transformed(window) ? kTransformed : 1);
  }

  /// Bytes; negative if it costs.
  std::int64_t saving(int begin, const std::vector<BandLayer>& layers) const {
    std::vector<std::ptrdiff_t> rows;
    std::int64_t maps = 0, weights = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const Operation& made = step(begin + static_cast<int>(i));
      rows.push_back(row_bytes(made.output));
      weights += weight_bytes(made, layers[i].window);
      const std::int64_t map = rows.back() * layers[i].window.out_h;
      if (i + 1 < layers.size() && map >= policy_.large_map) maps += 2 * map;  // written and read
    }
    const int band = choose_band(layers, rows, policy_.memory);
    const std::vector<int> most = rows_at_once(layers, band);
    const std::int64_t memory =
        std::inner_product(most.begin(), most.end() - 1, rows.begin(), std::int64_t{0});
    if (memory > policy_.most_memory) return 0;
    const int bands = (layers.back().window.out_h + band - 1) / band;
    return maps - policy_.weight_cost * bands * weights;
  }

  const Program& program_;
  const PlanSource& source_;
  const std::vector<PixelLayout>& layouts_;
  const BandPolicy& policy_;
  std::vector<int> reads_;    ///< how often each value is read
  std::vector<bool> shared_;  ///< values that share memory
};

}  // namespace

std::optional<BandLayer> band_layer(const PlanSource& source, const Operation& step) {
  if (step.node == kNone || step.residual != kNone) return std::nullopt;
  const Op& op = source.network.graph.node(step.node).op;
  const Value& output = source.program.value(step.output);
  if (std::holds_alternative<op::Input>(op)) {
    return BandLayer{
        {.in_h = output.height, .in_w = output.width, .out_h = output.height, .out_w = output.width}};
  }
  const auto layer = [&](const Window& window, bool transformed) -> std::optional<BandLayer> {
    const kernels::WindowArgs over = window_over(window, source.program.value(step.inputs[0]), output);
    if (!sees_rows(over)) return std::nullopt;
    return BandLayer{over, transformed && may_be_transformed(over) ? kUnit : 1};
  };
  if (const auto* conv = std::get_if<op::Conv>(&op)) return layer(conv->window, conv->groups == 1);
  if (const auto* pool = std::get_if<op::MaxPool>(&op)) return layer(pool->window, false);
  return std::nullopt;
}

std::vector<Pass> choose_passes(const PlanSource& source, const std::vector<PixelLayout>& layouts) {
  return PassChooser(source, layouts).run();
}

}  // namespace concertina::runtime
