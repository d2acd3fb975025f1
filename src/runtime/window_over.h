#pragma once

#include "graph/ops/window.h"
#include "kernels/conv_types.h"

namespace concertina::runtime {

/// A graph's window as the kernels want it. Map: a Shape or a Value.
template <class Map>
kernels::WindowArgs window_over(const Window& w, const Map& input, const Map& output) {
  return {.in_h = input.height,
          .in_w = input.width,
          .out_h = output.height,
          .out_w = output.width,
          .kernel_h = w.kernel_h,
          .kernel_w = w.kernel_w,
          .stride_h = w.stride_h,
          .stride_w = w.stride_w,
          .pad_top = w.pad_top,
          .pad_left = w.pad_left,
          .dilation_h = w.dilation_h,
          .dilation_w = w.dilation_w};
}

}  // namespace concertina::runtime
