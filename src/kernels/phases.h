#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/conv_types.h"

namespace concertina::kernels {

/// How a kernel lays its inputs out so that a window has no stride: rows and columns lie apart by their
/// remainders (phases), of which a window with strides reads every stride-th. The outputs of consecutive rows
/// then read one run of pixels of each phase; those between the rows read from padding, and their sums are
/// dropped.
struct Phases {
  int down;    ///< phases of rows
  int across;  ///< phases of columns
  int halo;    ///< rows of a phase besides one for each row of outputs
  int width;   ///< outputs in a row, those that are dropped among them

  explicit Phases(const WindowArgs& w)
      : down(std::min(w.stride_h, (w.kernel_h - 1) * w.dilation_h + 1)),
        across(std::min(w.stride_w, (w.kernel_w - 1) * w.dilation_w + 1)),
        halo((w.kernel_h - 1) * w.dilation_h / w.stride_h),
        width(w.out_w + (w.kernel_w - 1) * w.dilation_w / w.stride_w) {}

  /// Elements from an output's first input to what each tap sees, of the first `columns` taps of each row of
  /// the window; phases lie `phase` elements apart, their rows `row` and their pixels `pixel`.
  void find_taps(const WindowArgs& w, int columns, std::ptrdiff_t phase, std::ptrdiff_t row,
                 std::ptrdiff_t pixel, std::ptrdiff_t* taps) const {
    for (int i = 0; i < w.kernel_h; ++i) {
      const int y = i * w.dilation_h;
      for (int j = 0; j < columns; ++j) {
        const int x = j * w.dilation_w;
        const std::ptrdiff_t phases = y % w.stride_h * across + x % w.stride_w;
        *taps++ = phases * phase + y / w.stride_h * row + x / w.stride_w * pixel;
      }
    }
  }
};

}  // namespace concertina::kernels
