#pragma once

#include <algorithm>

#include "kernels/window.h"

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
};

}  // namespace concertina::kernels
