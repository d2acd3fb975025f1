#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "kernels/conv.h"
#include "kernels/move.h"
#include "kernels/pool.h"
#include "runtime/conv_choice.h"
#include "runtime/kernel_step.h"

/// The steps that can run over some rows only, in which case they have no residual.
namespace concertina::runtime {

/// A segment of an input comes into the arena.
struct LoadStep {
  kernels::FromPlainArgs args;
  PlainInput plain;
  std::ptrdiff_t plane = 0;  ///< floats before the segment in an image
  Location output;

  void run(const Frame& frame) const;
  void run_rows(const RowsFrame& frame) const;
};

/// A convolution or linear layer by any of the kernels.
struct ConvStep {
  kernels::ConvArgs args;  ///< args.packed is what `kernel` takes
  ConvKernel kernel = ConvKernel::direct;
  int side = 0;  ///< of the tiles of Winograd's algorithm
  std::vector<kernels::ChannelRange> ranges;
  Location input;
  std::optional<PlainInput> plain = {};  ///< in place of `input`
  Location output;
  std::optional<Location> residual;
  std::int64_t dilated_pixels = 0;  ///< of a transposed convolution's input, without the zeros between them

  /// Multiply-accumulates for one image.
  std::int64_t macs() const;
  /// Floats that a thread needs, over this window.
  std::size_t workspace(const kernels::WindowArgs& window) const;
  void run(const Frame& frame) const;
  void run_rows(const RowsFrame& frame) const;

 private:
  void call(const kernels::ConvArgs& bound_args, float* workspace, ThreadPool& pool) const;
};

using MaxPoolStep = KernelStep<kernels::PoolArgs, kernels::max_pool>;

using RowStep = std::variant<LoadStep, ConvStep, MaxPoolStep>;

}  // namespace concertina::runtime
