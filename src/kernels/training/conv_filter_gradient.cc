#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "kernels/training/conv.h"
#include "kernels/training/conv_groups.h"
#include "kernels/training/conv_maps.h"
#include "kernels/training/conv_sweep.h"

namespace concertina::kernels {
namespace {

constexpr int kPanel = kTrainingPanel;

/// to[c * stride] += from[c].
void add(const float* from, int count, std::ptrdiff_t stride, float* to) {
  if (stride == 1) {
    for (int c = 0; c < count; ++c) to[c] += from[c];
  } else {
    for (int c = 0; c < count; ++c) to[c * stride] += from[c];
  }
}

/// Adds up what one share of the chunks says of the filter's gradient.
class OuterRunner {
 public:
  OuterRunner(const Sweep& sweep, const SweepSource& x, const SweepSource& dy, const TrainingUnit& unit,
              bool depthwise)
      : sweep_(sweep),
        x_(x),
        dy_(dy),
        unit_(unit),
        depthwise_(depthwise),
        inputs_(depthwise ? 1 : sweep.taps_in_run() * x.channels),
        padded_(round_up(depthwise ? dy.channels : inputs_, kPanel)) {}

  /// Of a share. Where the sums of an output begin: [outputs][runs][padded], or depthwise [runs][padded
  /// outputs].
  std::ptrdiff_t sums() const { return (depthwise_ ? 1 : dy_.channels) * runs() * padded_; }
  std::ptrdiff_t place(int output, std::ptrdiff_t run) const {
    return depthwise_ ? run * padded_ + output : (output * runs() + run) * padded_;
  }

  void run(const SweepChunk& chunk, Workspace& workspace, float* sums) const {
    const SweepLayout layout(sweep_, chunk, x_.channels);
    const Workspace::Loan inputs =
        workspace.borrow(static_cast<std::size_t>(layout.size * input_bytes(unit_) + spare()));
    load_chunk(sweep_, chunk, layout, x_, unit_, inputs.as<char>());
    std::memset(inputs.as<char>() + layout.size * input_bytes(unit_), 0, static_cast<std::size_t>(spare()));
    unit_.bf16 ? run_pairs(chunk, layout, inputs, workspace, sums)
               : run_floats(chunk, layout, inputs, workspace, sums);
  }

 private:
  void run_floats(const SweepChunk& chunk, const SweepLayout& layout, const Workspace::Loan& inputs,
                  Workspace& workspace, float* sums) const {
    const std::ptrdiff_t pixels = std::ptrdiff_t{chunk.rows} * dy_.width;
    const std::ptrdiff_t values = chunk.images * pixels * dy_.pixel;
    const Workspace::Loan converted = workspace.borrow(static_cast<std::size_t>(values * 4 + spare()));
    for (int n = 0; n < chunk.images; ++n) {
      load_values(dy_row(chunk, n, 0), dy_.element, false, pixels * dy_.pixel,
                  converted.as<float>() + n * pixels * dy_.pixel);
    }
    OuterProducts o{.images = chunk.images,
                    .rows = chunk.rows,
                    .columns = sweep_.columns,
                    .x = inputs.as<float>(),
                    .x_image = layout.image,
                    .x_row = sweep_.stride_h * layout.row,
                    .x_column = sweep_.stride_w * layout.column,
                    .dy = converted.as<float>() + dy_.first,
                    .dy_image = pixels * dy_.pixel,
                    .dy_row = dy_.width * dy_.pixel,
                    .dy_column = dy_.pixel,
                    .dy_channel = 1};
    if (sweep_.by_image) {
      std::swap(o.images, o.columns);
      std::swap(o.x_image, o.x_column);
      std::swap(o.dy_image, o.dy_column);
    }
    depthwise_ ? run_depthwise(o, layout, sums) : for_runs(o, layout, sizeof(float), sums);
  }

  void run_depthwise(const OuterProducts& o, const SweepLayout& layout, float* sums) const {
    std::vector<std::ptrdiff_t> runs;
    for (const Run& run : sweep_.runs) runs.push_back(run.row * layout.row + run.column * layout.column);
    depthwise_products({.images = o.images,
                        .rows = o.rows,
                        .columns = o.columns,
                        .x = static_cast<const float*>(o.x),
                        .x_image = o.x_image,
                        .x_row = o.x_row,
                        .x_column = o.x_column,
                        .dy = static_cast<const float*>(o.dy),
                        .dy_image = o.dy_image,
                        .dy_row = o.dy_row,
                        .dy_column = o.dy_column,
                        .runs = runs,
                        .channels = dy_.channels,
                        .sums = sums,
                        .sums_row = padded_});
  }

  void run_pairs(const SweepChunk& chunk, const SweepLayout& layout, const Workspace::Loan& inputs,
                 Workspace& workspace, float* sums) const {
    const std::ptrdiff_t beside = sweep_.by_image ? layout.image : sweep_.stride_w * layout.column;
    const Workspace::Loan pairs = workspace.borrow(static_cast<std::size_t>(layout.size * 4 + spare()));
    make_pairs(inputs.as<std::uint16_t>(), beside, layout.size, pairs.as<std::uint32_t>());
    std::memset(pairs.as<std::uint32_t>() + layout.size, 0, static_cast<std::size_t>(spare()));
    const int length = sweep_.by_image ? chunk.images : sweep_.columns;
    const int steps = round_up((length + 1) / 2, unit_.depth / 2);
    const int lines = sweep_.by_image ? sweep_.columns : chunk.images;
    // An odd number of cache lines, so that channels do not fall into the same sets.
    const std::ptrdiff_t plane = (std::ptrdiff_t{lines} * chunk.rows * steps / 16 | 1) * 16 + 32;
    // Tiles read channels 32 at a time.
    const auto bytes = static_cast<std::size_t>(plane * round_up(dy_.channels, kPanelPair) * 4 + spare());
    const Workspace::Loan planes = workspace.borrow(bytes);
    if (steps != (length + 1) / 2) std::memset(planes.as<char>(), 0, bytes);
    for (int line = 0; line < lines; ++line) {
      for (int row = 0; row < chunk.rows; ++row) {
        const auto* from = static_cast<const std::uint16_t*>(sweep_.by_image ? dy_pixel(chunk, 0, row, line)
                                                                             : dy_pixel(chunk, line, row, 0));
        const std::ptrdiff_t pixel =
            sweep_.by_image ? std::ptrdiff_t{dy_.height} * dy_.width * dy_.pixel : dy_.pixel;
        make_planes(from + dy_.first, length, dy_.channels, pixel, plane,
                    planes.as<std::uint32_t>() + (std::ptrdiff_t{line} * chunk.rows + row) * steps);
      }
    }
    const OuterProducts o{.images = lines,
                          .rows = chunk.rows,
                          .columns = steps,
                          .x = pairs.as<std::uint32_t>(),
                          .x_image = sweep_.by_image ? sweep_.stride_w * layout.column : layout.image,
                          .x_row = sweep_.stride_h * layout.row,
                          .x_column = 2 * beside,
                          .dy = planes.as<std::uint32_t>(),
                          .dy_image = std::ptrdiff_t{chunk.rows} * steps,
                          .dy_row = steps,
                          .dy_column = 1,
                          .dy_channel = plane};
    for_runs(o, layout, sizeof(std::uint32_t), sums);
  }

  void for_runs(OuterProducts o, const SweepLayout& layout, std::size_t element, float* sums) const {
    const auto* const x = static_cast<const char*>(o.x);
    o.channels = dy_.channels;
    o.inputs = inputs_;
    o.sums_row = padded_ * runs();
    unit_.begin();
    for (const Run& run : sweep_.runs) {
      o.x = x + (run.row * layout.row + run.column * layout.column) * static_cast<std::ptrdiff_t>(element);
      o.sums = sums;
      unit_.outer(o);
      sums += padded_;
    }
    unit_.end();
  }

  std::ptrdiff_t spare() const { return spare_bytes(sweep_, x_.channels); }
  std::ptrdiff_t runs() const { return static_cast<std::ptrdiff_t>(sweep_.runs.size()); }
  const void* dy_row(const SweepChunk& chunk, int image, int row) const {
    return dy_pixel(chunk, image, row, 0);
  }
  const void* dy_pixel(const SweepChunk& chunk, int image, int row, int column) const {
    const std::ptrdiff_t pixel =
        (static_cast<std::ptrdiff_t>(chunk.image + image) * dy_.height + chunk.row + row) * dy_.width +
        column;
    return static_cast<const char*>(dy_.values) + pixel * dy_.pixel * element_bytes(dy_.element);
  }

  const Sweep& sweep_;
  const SweepSource& x_;
  const SweepSource& dy_;
  const TrainingUnit& unit_;
  bool depthwise_;
  int inputs_;
  int padded_;
};

}  // namespace

void conv_filter_gradient(const ConvFilterGradientArgs& args, Workspace& workspace,
                          const ParallelFor& parallel) {
  // As many shares as keep their sums small; each goes through its chunks in order.
  constexpr int kMostShares = 8;
  constexpr std::ptrdiff_t kMostSums = std::ptrdiff_t{1} << 22;
  const GroupedConv grouped(args.conv);
  const TrainingConv& conv = grouped.conv;
  const int inputs = grouped.depthwise ? 1 : conv.in_channels;
  const Sweep sweep = forward_sweep(conv.window, grouped.shape());
  // Every chunk reads and writes all sums.
  const std::ptrdiff_t all_sums = std::ptrdiff_t{4} * conv.out_channels * inputs * conv.window.taps();
  const auto chunks = chunks_of(sweep, conv.images, conv.in_channels, *conv.unit,
                                std::clamp(all_sums / 4, kLeastChunkBytes, kMostChunkBytes));
  for (int g = 0; g < conv.groups; ++g) {
    const SweepSource x = grouped.input(args.x, g), dy = grouped.output(args.dy, g);
    const OuterRunner runner(sweep, x, dy, *conv.unit, grouped.depthwise);
    const auto count = static_cast<int>(chunks.size());
    const int shares = static_cast<int>(
        std::clamp<std::ptrdiff_t>(kMostSums / runner.sums(), 1, std::min(kMostShares, count)));
    const Workspace::Loan sums = workspace.borrow(static_cast<std::size_t>(shares * runner.sums() * 4));
    parallel(shares, [&](int share) {
      float* const own = sums.as<float>() + share * runner.sums();
      std::fill_n(own, runner.sums(), 0.0F);
      for (int i = count * share / shares; i < count * (share + 1) / shares; ++i)
        runner.run(chunks[i], workspace, own);
    });
    parallel(conv.out_channels, [&](int k) {
      float* const to =
          args.gradient.values + (std::ptrdiff_t{g} * conv.out_channels + k) * args.gradient.output;
      for (std::size_t r = 0; r < sweep.runs.size(); ++r) {
        const float* from = sums.as<float>() + runner.place(k, static_cast<std::ptrdiff_t>(r));
        for (const std::ptrdiff_t tap : sweep.runs[r].taps) {
          float* const at = to + tap * args.gradient.tap;
          for (int s = 0; s < shares; ++s) add(from + s * runner.sums(), inputs, args.gradient.input, at);
          from += inputs;
        }
      }
    });
  }
}

}  // namespace concertina::kernels
