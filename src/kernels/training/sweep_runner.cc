#include "kernels/training/sweep_runner.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "kernels/training/conv_maps.h"

namespace concertina::kernels {
namespace {

constexpr int kPanel = kTrainingPanel;

/// Runs one sweep for one group.
class SweepRunner {
 public:
  explicit SweepRunner(const SweepPass& pass)
      : sweep_(pass.sweep),
        source_(pass.source),
        filter_(pass.filter),
        target_(pass.target),
        unit_(pass.unit),
        shape_(pass.sweep, pass.filter.inputs, pass.unit),
        panels_((pass.filter.outputs + kPanel - 1) / kPanel) {}

  void run(const std::vector<SweepChunk>& chunks, float* moments, Workspace& workspace,
           const ParallelFor& parallel) {
    const Workspace::Loan packed = workspace.borrow(static_cast<std::size_t>(panels_ * shape_.panel * 4));
    weights_ = packed.as<std::uint32_t>();
    parallel(panels_, [&](int i) {
      pack_panel(sweep_, shape_, filter_, unit_, i, packed.as<std::uint32_t>() + i * shape_.panel);
    });
    std::ptrdiff_t most = 0;
    for (const SweepChunk& chunk : chunks)
      most = std::max(most, SweepLayout(sweep_, chunk, source_.channels).size);
    const int pairs = (panels_ + 1) / 2;
    parallel(static_cast<int>(chunks.size()), [&](int i) {
      const Workspace::Loan inputs =
          workspace.borrow(static_cast<std::size_t>(most * input_bytes(unit_) + spare()));
      const std::size_t next = static_cast<std::size_t>(i) + 1;
      const auto soon = next < chunks.size() ? source_bytes(chunks[next]) : std::span<const char>();
      run_chunk(chunks[i], soon, inputs.as<char>(),
                moments ? moments + std::ptrdiff_t{i} * pairs * 3 * kPanelPair : nullptr);
    });
  }

 private:
  void run_chunk(const SweepChunk& chunk, std::span<const char> soon, char* inputs, float* moments) const {
    const SweepLayout layout(sweep_, chunk, source_.channels);
    if (sweep_.runs.empty()) return store_zeros(chunk);
    load_chunk(sweep_, chunk, layout, source_, unit_, inputs);
    std::memset(inputs + layout.size * input_bytes(unit_), 0, static_cast<std::size_t>(spare()));
    std::vector<std::ptrdiff_t> runs;
    for (const Run& run : sweep_.runs) runs.push_back(run.row * layout.row + run.column * layout.column);
    unit_.begin();
    for (int panel = 0; panel < panels_; panel += 2) {
      const std::uint32_t* weights = weights_ + panel * shape_.panel;
      const PanelProducts products{
          .runs = runs,
          .taps = shape_.taps,
          .depth = shape_.depth,
          .pixel = sweep_.by_image ? layout.image : sweep_.stride_w * layout.column,
          .weights = weights,
          .weights2 = panel + 1 < panels_ ? weights + shape_.panel : nullptr,
          .last_outputs = filter_.outputs - std::min(panel + 1, panels_ - 1) * kPanel};
      run_panels(chunk, layout, products, panel, panel == 0 ? soon : std::span<const char>(), inputs,
                 moments ? moments + std::ptrdiff_t{panel} / 2 * 3 * kPanelPair : nullptr);
    }
    unit_.end();
  }

  /// A pair of panels under all pixels of the chunk.
  void run_panels(const SweepChunk& chunk, const SweepLayout& layout, const PanelProducts& products,
                  int panel, std::span<const char> soon, const char* inputs, float* moments) const {
    const int length = sweep_.by_image ? chunk.images : sweep_.columns;
    const int most = filter_.depthwise   ? Pending::kMost
                     : products.weights2 ? unit_.pixels_of_two
                                         : unit_.pixels;
    const int blocks = (length + most - 1) / most;
    const int lines = sweep_.by_image ? sweep_.columns : chunk.images;
    Pending pending(*this, panel, moments);
    ComingLines coming(soon, lines * chunk.rows);
    for (int line = 0; line < lines; ++line) {
      for (int row = 0; row < chunk.rows; ++row) {
        coming.bring_next();
        for (int block = 0; block < blocks; ++block) {
          const int at = length * block / blocks, count = length * (block + 1) / blocks - at;
          const int image = sweep_.by_image ? at : line, column = sweep_.by_image ? line : at;
          const std::ptrdiff_t input = image * layout.image + row * sweep_.stride_h * layout.row +
                                       column * sweep_.stride_w * layout.column;
          const std::ptrdiff_t pixel = target_pixel(chunk.image + image, chunk.row + row, column);
          float* const sums = pending.room(pixel, count);
          if (filter_.depthwise) {
            depthwise_panels(products, reinterpret_cast<const float*>(inputs) + input + panel * kPanel, count,
                             sums);
          } else {
            unit_.products(products, inputs + input * input_bytes(unit_), count, sums);
          }
        }
      }
    }
    pending.store();
  }

  /// What a chunk reads of the source.
  std::span<const char> source_bytes(const SweepChunk& chunk) const {
    const int first = std::clamp(chunk.row * sweep_.stride_h - sweep_.top, 0, source_.height);
    const int last = std::clamp((chunk.row + chunk.rows - 1) * sweep_.stride_h - sweep_.top + sweep_.span_h,
                                first, source_.height);
    const std::ptrdiff_t row = source_.width * source_.pixel * element_bytes(source_.element);
    const std::ptrdiff_t rows = std::ptrdiff_t{chunk.images - 1} * source_.height + last - first;
    const std::ptrdiff_t begin = (std::ptrdiff_t{chunk.image} * source_.height + first) * row;
    return {static_cast<const char*>(source_.values) + begin, static_cast<std::size_t>(rows * row)};
  }

  /// Brings memory into the second-level cache, a part at a time.
  class ComingLines {
   public:
    ComingLines(std::span<const char> bytes, int parts)
        : bytes_(bytes),
          part_((bytes.size() + static_cast<std::size_t>(parts) - 1) / static_cast<std::size_t>(parts)) {}
    void bring_next() {
      constexpr std::size_t kLine = 64;
      const std::size_t end = std::min(at_ + part_, bytes_.size());
      for (; at_ < end; at_ += kLine) __builtin_prefetch(bytes_.data() + at_, 0, 2);
    }

   private:
    std::span<const char> bytes_;
    std::size_t part_, at_ = 0;
  };

  /// Sums of pixels that lie evenly in the target, until there are enough of them.
  class Pending {
   public:
    Pending(const SweepRunner& runner, int panel, float* moments)
        : runner_(runner),
          panel_(panel),
          channels_(std::min(kPanelPair, runner.filter_.outputs - panel * kPanel)),
          moments_(moments),
          step_(runner.sweep_.by_image ? std::ptrdiff_t{runner.target_.height} * runner.target_.width
                                       : runner.sweep_.to_step_w) {
      if (runner.target_.bias) std::copy_n(runner.target_.bias + panel * kPanel, channels_, bias_);
    }

    /// For `count` more pixels, the first of which is `pixel` in the target.
    float* room(std::ptrdiff_t pixel, int count) {
      if (count_ > 0 && (count_ + count > kMost || pixel != first_ + count_ * step_)) store();
      if (count_ == 0) first_ = pixel;
      count_ += count;
      return sums_ + (count_ - count) * kPanelPair;
    }

    void store() {
      if (count_ == 0) return;
      if (moments_ && !begun_) {
        std::fill_n(moments_, 3 * kPanelPair, 0.0F);
        for (int c = 0; c < channels_; ++c) moments_[c] = sums_[c] + bias_[c];
        begun_ = true;
      }
      store_values({.sums = sums_,
                    .pixels = count_,
                    .channels = channels_,
                    .bias = runner_.target_.bias ? bias_ : nullptr,
                    .element = runner_.target_.element,
                    .to = runner_.address(first_, panel_ * kPanel),
                    .pixel = step_ * runner_.target_.pixel,
                    .moments = moments_});
      count_ = 0;
    }

    static constexpr int kMost = 64;

   private:
    const SweepRunner& runner_;
    int panel_;
    int channels_;
    float* moments_;
    std::ptrdiff_t step_;
    std::ptrdiff_t first_ = 0;
    int count_ = 0;
    bool begun_ = false;
    alignas(64) float bias_[kPanelPair] = {};
    alignas(64) float sums_[(kMost + kMostBlockPixels) * kPanelPair];  // a block is written whole
  };

  std::ptrdiff_t spare() const { return spare_bytes(sweep_, source_.channels); }

  void store_zeros(const SweepChunk& chunk) const {
    for (int n = 0; n < chunk.images; ++n) {
      for (int row = 0; row < chunk.rows; ++row) {
        for (int column = 0; column < sweep_.columns; ++column) {
          std::memset(address(target_pixel(chunk.image + n, chunk.row + row, column), 0), 0,
                      static_cast<std::size_t>(filter_.outputs * element_bytes(target_.element)));
        }
      }
    }
  }

  std::ptrdiff_t target_pixel(int image, int row, int column) const {
    return (std::ptrdiff_t{image} * target_.height + sweep_.to_row + row * sweep_.to_step_h) * target_.width +
           sweep_.to_column + std::ptrdiff_t{column} * sweep_.to_step_w;
  }
  void* address(std::ptrdiff_t pixel, int channel) const {
    return static_cast<char*>(target_.values) +
           (pixel * target_.pixel + target_.first + channel) * element_bytes(target_.element);
  }

  const Sweep& sweep_;
  const SweepSource& source_;
  const SweepFilter& filter_;
  const SweepTarget& target_;
  const TrainingUnit& unit_;
  RunShape shape_;
  int panels_;
  const std::uint32_t* weights_ = nullptr;
};

}  // namespace

void run_sweep(const SweepPass& pass, const std::vector<SweepChunk>& chunks, float* moments,
               Workspace& workspace, const ParallelFor& parallel) {
  SweepRunner(pass).run(chunks, moments, workspace, parallel);
}

}  // namespace concertina::kernels
