#include "runtime/transposed.h"

#include <algorithm>

#include "base/aligned_buffer.h"
#include "kernels/parallel.h"

namespace concertina::runtime {
namespace {

// Floats of a strip, so that it stays in the second-level cache with the input.
constexpr std::ptrdiff_t kStrip = 32 * 1024;

/// A direction of a part.
struct Line {
  int first = 0;  ///< tap
  int taps = 0;
  int pad = 0;
};

/// Of the outputs i * step + at.
Line line_of(int at, int step, int kernel, int pad) {
  const int first = (pad - at + step * kernel) % step;
  return {first, (kernel - first + step - 1) / step, (pad - at - first) / step};
}

bool sees_input(int kernel, int step, int pad_before, int pad_after) {
  return step <= kernel && step - 1 <= pad_before && pad_before < kernel && pad_after < kernel;
}

}  // namespace

bool has_parts(const op::Conv& conv) {
  const Window& w = conv.window;
  return conv.transposed() && conv.groups == 1 && w.dilation_h == 1 && w.dilation_w == 1 &&
         sees_input(w.kernel_h, conv.input_dilation_h, w.pad_top, w.pad_bottom) &&
         sees_input(w.kernel_w, conv.input_dilation_w, w.pad_left, w.pad_right);
}

std::vector<TransposedPart> parts_of(const op::Conv& conv) {
  const Window& w = conv.window;
  const int step_h = conv.input_dilation_h, step_w = conv.input_dilation_w;
  std::vector<TransposedPart> parts;
  for (int row = 0; row < step_h; ++row) {
    const Line down = line_of(row, step_h, w.kernel_h, w.pad_top);
    for (int column = 0; column < step_w; ++column) {
      const Line across = line_of(column, step_w, w.kernel_w, w.pad_left);
      TransposedPart& part =
          parts.emplace_back(TransposedPart{.row = row, .column = column, .window = {}, .taps = {}});
      part.window.kernel_h = down.taps;
      part.window.kernel_w = across.taps;
      part.window.pad_top = down.pad;
      part.window.pad_left = across.pad;
      for (int i = 0; i < down.taps; ++i) {
        for (int j = 0; j < across.taps; ++j) {
          part.taps.push_back((down.first + i * step_h) * w.kernel_w + across.first + j * step_w);
        }
      }
    }
  }
  return parts;
}

TransposedStep with_workspace(TransposedStep step) {
  const ConvStep& first = step.parts[0].conv;
  const std::ptrdiff_t row = first.args.window.out_w * first.output.stride;
  step.rows = static_cast<int>(std::clamp<std::ptrdiff_t>(kStrip / row, 1, first.args.window.out_h));
  step.strip = in_lines(static_cast<std::size_t>(step.rows * row));
  std::size_t kernels = 0;
  for (const TransposedStep::Part& part : step.parts) {
    for (int made = 1; made <= std::min(step.rows, part.conv.args.window.out_h); ++made) {
      kernels = std::max(kernels, part.conv.workspace(window_of_rows(part.conv.args.window, {0, made})));
    }
  }
  step.memory = step.strip + in_lines(kernels);
  return step;
}

std::int64_t TransposedStep::macs() const {
  std::int64_t sum = 0;
  for (const Part& part : parts) sum += part.conv.macs();
  return sum;
}

void TransposedStep::run(const Frame& frame) const {
  const ConvStep& first = parts[0].conv;
  const int height = first.args.window.out_h, in_h = first.args.window.in_h;
  const int blocks = std::max((height + rows - 1) / rows, std::min(height, frame.pool.size()));
  const std::ptrdiff_t in_row = first.args.window.in_w * first.input.stride;
  frame.pool.parallel_for(frame.batch * blocks, [&](int job, int thread) {
    const int image = job / blocks, begin = kernels::part_begin(height, blocks, job % blocks),
              end = kernels::part_begin(height, blocks, job % blocks + 1);
    float* const pixels = frame.workspace + static_cast<std::size_t>(thread) * memory;
    float* const to = output.in(frame) + std::ptrdiff_t{image} * out_h * out_w * output.stride;
    for (const Part& part : parts) {
      const kernels::WindowArgs& whole = part.conv.args.window;
      const Rows made{begin, std::min(whole.out_h, end)};
      if (made.count() <= 0) continue;
      const std::ptrdiff_t seen = std::ptrdiff_t{image} * in_h + rows_seen(whole, made).begin;
      part.conv.run_rows({.window = window_of_rows(whole, made),
                          .input = part.conv.input.pixels(frame) + seen * in_row,
                          .output = pixels,
                          .workspace = pixels + strip,
                          .pool = frame.caller});
      put(part, made, pixels, to);
    }
  });
}

void TransposedStep::put(const Part& part, const Rows& made, const float* pixels, float* image) const {
  const std::ptrdiff_t pixel = part.conv.output.stride;
  for (int y = made.begin; y < made.end; ++y) {
    const std::ptrdiff_t first = std::ptrdiff_t{y * stride_h + part.row} * out_w + part.column;
    float* to = image + first * output.stride;
    for (int x = 0; x < part.conv.args.window.out_w; ++x, pixels += pixel, to += stride_w * output.stride) {
      std::copy_n(pixels, pixel, to);
    }
  }
}

}  // namespace concertina::runtime
