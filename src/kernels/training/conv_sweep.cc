#include "kernels/training/conv_sweep.h"

#include <cstring>

#include "kernels/training/conv_maps.h"

namespace concertina::kernels {
namespace {

/// A tap of one dimension: where it sees the source, from an output's first input on, and its index.
struct LineTap {
  int at = 0;
  int index = 0;
};

struct Line {
  std::vector<LineTap> taps;  ///< by place
  int before = 0;             ///< padding
  int span() const { return taps.empty() ? 1 : taps.back().at + 1; }
};

Line forward_line(int kernel, int dilation, int padding) {
  Line line{.taps = {}, .before = padding};
  for (int i = 0; i < kernel; ++i) line.taps.push_back({i * dilation, i});
  return line;
}

/// The outputs that read inputs remainder, remainder + stride, ...: those at number + tap.at - before.
Line gradient_line(int kernel, int dilation, int padding, int stride, int remainder) {
  Line line;
  for (int i = kernel - 1; i >= 0; --i) {
    const int distance = remainder + padding - i * dilation;
    if (distance % stride == 0) line.taps.push_back({distance / stride, i});
  }
  if (line.taps.empty()) return line;
  line.before = -line.taps.front().at;
  for (LineTap& tap : line.taps) tap.at += line.before;
  return line;
}

std::vector<Run> runs_of(const Line& rows, const Line& columns, int kernel_w) {
  bool side_by_side = true;
  for (std::size_t i = 1; i < columns.taps.size(); ++i)
    side_by_side = side_by_side && columns.taps[i].at == columns.taps[i - 1].at + 1;
  std::vector<Run> runs;
  for (const LineTap& y : rows.taps) {
    for (std::size_t i = 0; i < columns.taps.size(); ++i) {
      const LineTap& x = columns.taps[i];
      if (i == 0 || !side_by_side) runs.push_back({y.at, x.at, {}});
      runs.back().taps.push_back(std::ptrdiff_t{y.index} * kernel_w + x.index);
    }
  }
  return runs;
}

/// Decides in which order the pixels lie. By image, each tap is a run of its own.
Sweep suited(Sweep sweep, const SweepShape& shape) {
  sweep.by_image = sweep.columns < shape.least_columns && shape.images > sweep.columns;
  if (!sweep.by_image && !shape.apart) return sweep;
  std::vector<Run> split;
  for (const Run& run : sweep.runs) {
    for (std::size_t i = 0; i < run.taps.size(); ++i)
      split.push_back({run.row, run.column + static_cast<int>(i), {run.taps[i]}});
  }
  sweep.runs = std::move(split);
  return sweep;
}

}  // namespace

Sweep forward_sweep(const WindowArgs& w, const SweepShape& shape) {
  const Line rows = forward_line(w.kernel_h, w.dilation_h, w.pad_top),
             columns = forward_line(w.kernel_w, w.dilation_w, w.pad_left);
  return suited({.rows = w.out_h,
                 .columns = w.out_w,
                 .stride_h = w.stride_h,
                 .stride_w = w.stride_w,
                 .top = rows.before,
                 .left = columns.before,
                 .span_h = rows.span(),
                 .span_w = columns.span(),
                 .runs = runs_of(rows, columns, w.kernel_w)},
                shape);
}

std::vector<Sweep> gradient_sweeps(const WindowArgs& w, const SweepShape& shape) {
  std::vector<Sweep> sweeps;
  for (int y = 0; y < std::min(w.stride_h, w.in_h); ++y) {
    const Line rows = gradient_line(w.kernel_h, w.dilation_h, w.pad_top, w.stride_h, y);
    for (int x = 0; x < std::min(w.stride_w, w.in_w); ++x) {
      const Line columns = gradient_line(w.kernel_w, w.dilation_w, w.pad_left, w.stride_w, x);
      sweeps.push_back(suited({.rows = (w.in_h - y + w.stride_h - 1) / w.stride_h,
                               .columns = (w.in_w - x + w.stride_w - 1) / w.stride_w,
                               .top = rows.before,
                               .left = columns.before,
                               .span_h = rows.span(),
                               .span_w = columns.span(),
                               .runs = runs_of(rows, columns, w.kernel_w),
                               .to_row = y,
                               .to_column = x,
                               .to_step_h = w.stride_h,
                               .to_step_w = w.stride_w},
                              shape));
    }
  }
  return sweeps;
}

SweepLayout::SweepLayout(const Sweep& sweep, const SweepChunk& chunk, int channels)
    : in_rows((chunk.rows - 1) * sweep.stride_h + sweep.span_h),
      in_columns((sweep.columns - 1) * sweep.stride_w + sweep.span_w) {
  if (sweep.by_image) {
    image = channels;
    column = std::ptrdiff_t{chunk.images} * image;
    row = in_columns * column;
    size = in_rows * row;
  } else {
    column = channels;
    row = in_columns * column;
    image = in_rows * row;
    size = chunk.images * image;
  }
}

std::vector<SweepChunk> chunks_of(const Sweep& sweep, int images, int channels, const TrainingUnit& unit,
                                  std::ptrdiff_t bytes) {
  const auto size = [&](int of_images, int rows) {
    return SweepLayout(sweep, {.images = of_images, .rows = rows}, channels).size * input_bytes(unit);
  };
  std::vector<SweepChunk> chunks;
  if (size(1, sweep.rows) > bytes) {
    const std::ptrdiff_t row = size(1, 2) - size(1, 1);
    const std::ptrdiff_t fit = (bytes - size(1, 1)) / std::max<std::ptrdiff_t>(row, 1) + 1;
    const int rows = static_cast<int>(std::clamp<std::ptrdiff_t>(fit, 1, sweep.rows));
    const int pieces = (sweep.rows + rows - 1) / rows;
    for (int n = 0; n < images; ++n) {
      for (int i = 0; i < pieces; ++i) {
        const int begin = sweep.rows * i / pieces, end = sweep.rows * (i + 1) / pieces;
        chunks.push_back({n, 1, begin, end - begin});
      }
    }
    return chunks;
  }
  const int most = static_cast<int>(std::clamp<std::ptrdiff_t>(bytes / size(1, sweep.rows), 1, images));
  const int pieces = (images + most - 1) / most;
  for (int i = 0; i < pieces; ++i) {
    const int begin = static_cast<int>(std::int64_t{images} * i / pieces),
              end = static_cast<int>(std::int64_t{images} * (i + 1) / pieces);
    chunks.push_back({begin, end - begin, 0, sweep.rows});
  }
  return chunks;
}

std::ptrdiff_t chunk_bytes(const Sweep& sweep, int channels, const TrainingUnit& unit) {
  if (!sweep.by_image) return kLeastChunkBytes;
  const SweepLayout image(sweep, {.images = 1, .rows = sweep.rows}, channels);
  const std::ptrdiff_t block = unit.pixels_of_two * image.size * input_bytes(unit);
  return std::clamp(block, kLeastChunkBytes, kMostChunkBytes);
}

std::ptrdiff_t spare_bytes(const Sweep& sweep, int channels) {
  constexpr std::ptrdiff_t kVectors = 4096, kPixels = 32;
  return kVectors + kPixels * sweep.stride_w * channels * 4;
}

void load_chunk(const Sweep& sweep, const SweepChunk& chunk, const SweepLayout& layout,
                const SweepSource& source, const TrainingUnit& unit, void* to) {
  const std::ptrdiff_t bytes = input_bytes(unit), from_bytes = element_bytes(source.element);
  auto* const all = static_cast<char*>(to);
  const auto zero = [&](std::ptrdiff_t at, std::ptrdiff_t count) {
    std::memset(all + at * bytes, 0, static_cast<std::size_t>(count * bytes));
  };
  const int begin = std::clamp(sweep.left, 0, layout.in_columns);
  const int end = std::clamp(source.width + sweep.left, begin, layout.in_columns);
  const bool whole = !sweep.by_image && source.pixel == source.channels;
  if (sweep.by_image) zero(0, layout.size);
  for (int n = 0; n < chunk.images; ++n) {
    for (int r = 0; r < layout.in_rows; ++r) {
      const std::ptrdiff_t row = n * layout.image + r * layout.row;
      const int y = chunk.row * sweep.stride_h + r - sweep.top;
      const bool outside = y < 0 || y >= source.height;
      if (!sweep.by_image) {
        zero(row, outside ? layout.row : begin * layout.column);
        if (!outside) zero(row + end * layout.column, (layout.in_columns - end) * layout.column);
      }
      if (outside) continue;
      const std::ptrdiff_t pixel =
          (static_cast<std::ptrdiff_t>(chunk.image + n) * source.height + y) * source.width + begin -
          sweep.left;
      const char* from =
          static_cast<const char*>(source.values) + (pixel * source.pixel + source.first) * from_bytes;
      if (whole) {
        load_values(from, source.element, unit.bf16, (end - begin) * layout.column,
                    all + (row + begin * layout.column) * bytes);
        continue;
      }
      for (int x = begin; x < end; ++x, from += source.pixel * from_bytes)
        load_values(from, source.element, unit.bf16, source.channels,
                    all + (row + x * layout.column) * bytes);
    }
  }
}

}  // namespace concertina::kernels
