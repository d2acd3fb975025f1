#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "graph/ops/conv.h"
#include "runtime/bands.h"
#include "runtime/program.h"
#include "runtime/row_step.h"

/// Transposed convolutions, as convolutions over the input without zeros between its pixels.
namespace concertina::runtime {

/// One of them: it makes the pixels (y * stride_h + row, x * stride_w + column) of the output, the strides
/// being the distances of the input's pixels, with those taps of the filter that meet the input there.
struct TransposedPart {
  int row = 0;
  int column = 0;
  Window window;
  std::vector<int> taps;
};

/// False if the convolution is not transposed, has groups or a dilated window, or makes pixels that see no
/// pixel of the input: then its window slides over the zeros.
bool has_parts(const op::Conv& conv);

/// All of them, the one that makes the most pixels first. Precondition: has_parts().
std::vector<TransposedPart> parts_of(const op::Conv& conv);

/// The window of a part over whole maps. Map: a Shape or a Value.
template <class Map>
kernels::WindowArgs window_of_part(const TransposedPart& part, const op::Conv& conv, const Map& input,
                                   const Map& output) {
  const auto made = [](int size, int first, int step) { return (size - first + step - 1) / step; };
  Map some = output;
  some.height = made(output.height, part.row, conv.input_dilation_h);
  some.width = made(output.width, part.column, conv.input_dilation_w);
  return window_over(part.window, input, some);
}

/// A transposed convolution into one segment. Every thread makes a few rows of each part in its workspace and
/// puts their pixels into their places.
struct TransposedStep {
  struct Part {
    ConvStep conv;  ///< into the workspace
    int row = 0;
    int column = 0;
  };

  std::vector<Part> parts;  ///< the first makes the most pixels, the others one at least
  int stride_h = 1;
  int stride_w = 1;
  int out_h = 1;
  int out_w = 1;
  Location output;
  int rows = 1;            ///< of a part, at a time
  std::size_t strip = 0;   ///< floats for the pixels of those rows
  std::size_t memory = 0;  ///< floats of a thread's workspace

  std::int64_t macs() const;
  void run(const Frame& frame) const;

 private:
  void put(const Part& part, const Rows& made, const float* pixels, float* image) const;
};

/// Fills in what follows from the rest.
TransposedStep with_workspace(TransposedStep step);

}  // namespace concertina::runtime
