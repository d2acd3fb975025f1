#include "runtime/passes.h"

#include <numeric>

#include "runtime/program.h"
#include "runtime/transposed.h"

namespace concertina::runtime {
namespace {

constexpr auto kFloat = static_cast<std::int64_t>(sizeof(float));

// Smaller maps stay in the caches for several images.
constexpr std::int64_t kLargeMaps = 384 * 1024;

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
    for (const Operation& operation : program_.operations) {
      for (const ValueId id : operation.inputs) ++reads_[id];
      if (operation.residual != kNone) ++reads_[operation.residual];
    }
    for (const ValueId id : program_.outputs) ++reads_[id];
    for (ValueId id = 0; id < static_cast<ValueId>(program_.values.size()); ++id) {
      const ValueId root = source.storage.placement(id).root;
      if (root != id) shared_[id] = shared_[root] = true;
    }
  }

  std::vector<Pass> run() const {
    const int end = static_cast<int>(program_.operations.size());
    std::vector<Pass> passes;
    for (int begin = 0; begin < end; begin = passes.back().end) {
      passes.push_back(best_from(begin, end));
    }
    return passes;
  }

 private:
  const Operation& operation_at(int i) const { return program_.operations[i]; }

  Pass best_from(int begin, int end) const {
    Pass best{begin, begin + 1};
    std::int64_t most = 0;
    std::vector<BandLayer> layers;
    for (int i = begin; i < end && layers.size() < kMaxBandLayers; ++i) {
      if (i > begin && !follows(i)) break;
      const std::optional<BandLayer> layer = band_layer(source_, operation_at(i));
      if (!layer || layouts_[operation_at(i).output].plain) break;
      layers.push_back(*layer);
      if (i == begin) continue;
      const std::int64_t saved = saving(begin, layers);
      if (saved <= most) continue;
      most = saved;
      best.end = i + 1;
    }
    return best;
  }

  /// Whether operation i reads what the operation before it makes, and nobody else does.
  bool follows(int i) const {
    const ValueId between = operation_at(i - 1).output;
    return operation_at(i).inputs == std::vector{between} && reads_[between] == 1 && !shared_[between];
  }

  std::int64_t row_bytes(ValueId id) const {
    return std::int64_t{program_.value(id).width} * layouts_[id].stride * kFloat;
  }

  std::int64_t weight_bytes(const Operation& operation, const kernels::WindowArgs& window) const {
    const auto* conv = source_.op_if<op::Conv>(operation);
    if (conv == nullptr) return 0;
    const auto features = [&](ValueId id) {
      std::int64_t sum = 0;
      for (const PixelSegment& segment : layouts_[id].segments) sum += segment.count;
      return sum;
    };
    const std::int64_t inputs =
        conv->groups > 1 ? conv->in_channels / conv->groups : features(operation.inputs[0]);
    return inputs * features(operation.output) * window.taps() * kFloat *
           (conv->groups == 1 && may_be_transformed(window) ? kTransformed : 1);
  }

  /// Bytes; negative if it costs.
  std::int64_t saving(int begin, const std::vector<BandLayer>& layers) const {
    std::vector<std::ptrdiff_t> rows;
    std::int64_t maps = 0, weights = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const Operation& made = operation_at(begin + static_cast<int>(i));
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

std::optional<BandLayer> band_layer(const PlanSource& source, const Operation& operation) {
  if (operation.residual != kNone) return std::nullopt;
  const Value& output = source.program.value(operation.output);
  if (source.op_if<op::Input>(operation) != nullptr) {
    return BandLayer{
        {.in_h = output.height, .in_w = output.width, .out_h = output.height, .out_w = output.width}};
  }
  const auto layer = [&](const Window& window, bool transformed) -> std::optional<BandLayer> {
    const kernels::WindowArgs over = window_over(window, source.program.value(operation.inputs[0]), output);
    if (!sees_rows(over)) return std::nullopt;
    return BandLayer{over, transformed && may_be_transformed(over) ? kUnit : 1};
  };
  if (const auto* conv = source.op_if<op::Conv>(operation)) {
    if (has_parts(*conv)) return std::nullopt;
    return layer(conv->window, conv->groups == 1);
  }
  if (const auto* pool = source.op_if<op::MaxPool>(operation)) return layer(pool->window, false);
  return std::nullopt;
}

std::vector<Pass> choose_passes(const PlanSource& source, const std::vector<PixelLayout>& layouts) {
  return PassChooser(source, layouts).run();
}

int per_image_passes(std::span<const Traffic> passes) {
  std::int64_t saved = 0, most = 0;
  int count = 0;
  for (std::size_t i = 0; i < passes.size(); ++i) {
    saved += (passes[i].maps >= kLargeMaps ? passes[i].maps : 0) - passes[i].weights;
    if (saved <= most) continue;
    most = saved;
    count = static_cast<int>(i) + 1;
  }
  return count;
}

}  // namespace concertina::runtime
