#pragma once

#include "kernels/bf16_conv.h"
#include "kernels/conv.h"
#include "kernels/grouped.h"
#include "kernels/int8_conv.h"
#include "kernels/planar_conv.h"
#include "kernels/testing/kernel_test.h"
#include "kernels/winograd.h"

namespace concertina::kernels {

enum class ConvKernel { direct, grouped, winograd, winograd2, bf16, int8, planar };

/// A sub-net's convolution: of each input segment and of the output, the first active channels of the full
/// ones.
struct ConvCase {
  int batch = 1;
  WindowArgs window;
  int groups = 1;
  std::vector<int> full_inputs;  ///< full channels of each segment
  std::vector<int> inputs;       ///< active ones
  int full_out = 1;              ///< per group
  int out = 1;
  bool residual = false;
  bool in_place = false;  ///< the residual is the output's old content
  bool dense = false;     ///< the input's pixels have no padding
  bool plain = false;     ///< the input is planes
  FusedActivation act = FusedActivation::none;
  PointwiseFunction::Kind function = PointwiseFunction::Kind::none;
  int zero_point = 128;  ///< of int8, for inputs up to 255
};

/// That of int8_conv(), which holds values of [-1, 1).
inline constexpr float kInputScale = 1 / 127.5F;

/// All channels are active.
inline ConvCase whole(int batch, const WindowArgs& w, int in, int out) {
  return {.batch = batch, .window = w, .full_inputs = {in}, .inputs = {in}, .full_out = out, .out = out};
}

/// The sub-net's own filter, cut out of the full one.
inline Floats cut(const ConvCase& c, const Floats& full) {
  const int taps = c.window.taps();
  Floats result;
  for (int g = 0; g < c.groups; ++g) {
    for (int k = 0; k < c.out; ++k) {
      int begin = 0;
      for (std::size_t s = 0; s < c.inputs.size(); begin += c.full_inputs[s++]) {
        const auto row = full.begin() + ((g * c.full_out + k) * sum(c.full_inputs) + begin) * taps;
        result.insert(result.end(), row, row + c.inputs[s] * taps);
      }
    }
  }
  return result;
}

struct ConvProblem {
  explicit ConvProblem(const ConvCase& shape) : c(shape) {
    const int taps = c.window.taps();
    in = sum(c.inputs);
    out = c.groups * c.out;
    full_weights =
        random_floats(static_cast<std::size_t>(c.groups) * c.full_out * sum(c.full_inputs) * taps, 1);
    ref = {.batch = c.batch,
           .groups = c.groups,
           .in_channels = in,
           .out_channels = c.out,
           .window = c.window,
           .x = random_floats(
               static_cast<std::size_t>(c.batch) * c.groups * in * c.window.in_h * c.window.in_w, 2),
           .w = cut(c, full_weights),
           .scale = random_floats(static_cast<std::size_t>(out), 3),
           .shift = random_floats(static_cast<std::size_t>(out), 4),
           .residual = {},
           .act = c.act,
           .function = {.kind = c.function}};
    slope = random_floats(static_cast<std::size_t>(out), 6);
    ref.function.slope = slope.data();
    const auto size = static_cast<std::size_t>(c.batch) * out * c.window.out_h * c.window.out_w;
    if (c.residual) ref.residual = random_floats(size, 5);
  }

  Floats magnitude() const {
    reference::Conv m = ref;
    for (Floats* values : {&m.x, &m.w, &m.scale, &m.shift, &m.residual}) *values = magnitudes(*values);
    m.act = FusedActivation::none;
    m.function = {};
    return reference::conv(m);
  }

  /// As the best unit takes them, without starts; or the unit that gives `input_of`.
  Int8Input int8_input() const {
    Int8Input input =
        kernels::int8_input(input_of == nullptr ? *best_int8_unit() : *input_of, kInputScale, c.zero_point);
    input.unit = best_int8_unit();
    return input;
  }

  Floats run(int threads, ConvKernel kernel = ConvKernel::direct) const {
    const Filter filter{c.groups, c.full_out, sum(c.full_inputs), c.window.taps()};
    AlignedBuffer packed = pack(filter, kernel);
    const int pixels = c.window.out_h * c.window.out_w;
    Map x(c.batch, c.window.in_h * c.window.in_w, c.groups > 1 ? std::vector{c.groups * in} : c.inputs);
    if (c.dense) {
      x.stride = in;
      x.buffer = poisoned(static_cast<std::size_t>(x.batch) * x.pixels * in);
    }
    Map y(c.batch, pixels, {out});
    Map r(c.batch, pixels, {out}, 2);
    x.fill(ref.x);
    Map& residual = c.in_place ? y : r;
    if (c.residual) residual.fill(ref.residual);
    std::vector<ChannelRange> ranges;
    for (std::size_t s = 0, begin = 0, plane = 0; s < c.inputs.size(); begin += c.full_inputs[s++]) {
      ranges.push_back({static_cast<int>(begin), c.groups > 1 ? 0 : x.offsets[s], c.inputs[s]});
      if (c.plain) ranges.back().input_offset = static_cast<int>(plane);
      plane += c.inputs[s];
    }
    const std::ptrdiff_t plane = std::ptrdiff_t{c.window.in_h} * c.window.in_w;
    const AlignedBuffer scale = per_channel(ref.scale);
    const AlignedBuffer shift = per_channel(ref.shift);
    const AlignedBuffer slopes = per_channel(slope);
    ThreadPool pool(threads);
    Int8Input int8 = int8_input();
    std::vector<std::int32_t> starts(static_cast<std::size_t>(int8_starts_size(c.out)));
    if (kernel == ConvKernel::int8 && int8.zero_point != 0) {
      int8_starts(filter, packed.data(), ranges, c.out, int8.zero_point, starts.data());
      int8.starts = starts.data();
    }
    const ConvArgs args{.filter = filter,
                        .packed = packed.data(),
                        .batch = c.batch,
                        .window = c.window,
                        .input = c.plain ? ref.x.data() : x.buffer.data(),
                        .input_stride = c.plain ? 1 : x.stride,
                        .plane = c.plain ? plane : 0,
                        .image_stride = c.plain ? in * plane : 0,
                        .inputs = ranges,
                        .groups = c.groups,
                        .out_channels = c.out,
                        .output = y.buffer.data(),
                        .output_stride = y.stride,
                        .epilogue = {.scale = scale.data(),
                                     .shift = shift.data(),
                                     .residual = c.residual ? residual.buffer.data() : nullptr,
                                     .residual_stride = residual.stride,
                                     .act = c.act,
                                     .function = fused({.kind = c.function, .slope = slopes.data()})},
                        .bf16_unit = kernel == ConvKernel::bf16 ? best_bf16_unit() : nullptr,
                        .int8 = int8};
    const auto workspace = [&](std::size_t floats) {
      return poisoned(floats * static_cast<std::size_t>(threads));
    };
    switch (kernel) {
      case ConvKernel::direct:
        conv(args, pool);
        break;
      case ConvKernel::grouped:
        grouped_conv(args, pool);
        break;
      case ConvKernel::winograd:
      case ConvKernel::winograd2:
        winograd_conv(args, side(kernel), workspace(workspace_winograd(side(kernel), ranges)).data(), pool);
        break;
      case ConvKernel::bf16:
        bf16_conv(args, workspace(workspace_bf16(filter, c.window, ranges)).data(), pool);
        break;
      case ConvKernel::int8:
        int8_conv(args, workspace(workspace_int8(c.window, ranges)).data(), pool);
        break;
      case ConvKernel::planar:
        planar_conv(args, workspace(workspace_planar(c.window, ranges)).data(), pool);
        break;
    }
    return y.plain();
  }

  AlignedBuffer pack(const Filter& filter, ConvKernel kernel) const {
    const float* const oihw = full_weights.data();
    const auto packed = [](std::size_t floats, const auto& fill) {
      AlignedBuffer buffer = poisoned(floats);
      fill(buffer.data());
      return buffer;
    };
    switch (kernel) {
      case ConvKernel::direct:
      case ConvKernel::planar:
        break;
      case ConvKernel::grouped:
        return packed(packed_size_grouped(filter), [&](float* to) { pack_grouped(filter, oihw, to); });
      case ConvKernel::winograd:
      case ConvKernel::winograd2:
        return packed(packed_size_winograd(filter, side(kernel)),
                      [&](float* to) { pack_winograd(filter, side(kernel), oihw, to); });
      case ConvKernel::bf16:
        return packed(packed_size_bf16(filter, c.window),
                      [&](float* to) { pack_bf16(filter, c.window, oihw, to); });
      case ConvKernel::int8:
        return packed(packed_size_int8(filter), [&](float* to) { pack_int8(filter, oihw, to); });
    }
    return packed(packed_size_conv(filter), [&](float* to) { pack_conv(filter, oihw, to); });
  }

  static int side(ConvKernel kernel) { return kernel == ConvKernel::winograd2 ? 2 : 4; }

  ConvCase c;
  const Int8Unit* input_of = nullptr;  ///< the unit whose inputs the best one gets; null: its own
  int in = 0;
  int out = 0;
  Floats full_weights;
  Floats slope;
  reference::Conv ref;
};

/// Sub-nets of one filter.
inline std::vector<ConvCase> prefix_cases(const WindowArgs& w) {
  std::vector<ConvCase> cases;
  const int lanes = vector_lanes();
  const int full = 5 * lanes + 2;
  for (const int out : {1, lanes, lanes + 1, 2 * lanes, 3 * lanes - 1, 4 * lanes + 1, full}) {
    for (const int in : {1, lanes - 1, lanes, lanes + 2}) {
      if (in < 1) continue;
      cases.push_back(
          {.window = w, .full_inputs = {lanes + 3}, .inputs = {in}, .full_out = full, .out = out});
    }
  }
  return cases;
}

/// Inputs of three segments.
inline std::vector<ConvCase> segment_cases(const WindowArgs& w) {
  std::vector<ConvCase> cases;
  const int lanes = vector_lanes();
  for (const int first : {1, lanes, lanes + 1}) {
    for (const int second : {1, 3}) {
      cases.push_back({.batch = 2,
                       .window = w,
                       .full_inputs = {lanes + 1, 4, 2},
                       .inputs = {first, second, 2},
                       .full_out = lanes,
                       .out = lanes});
    }
  }
  return cases;
}

inline std::vector<ConvCase> epilogue_cases(const WindowArgs& w) {
  std::vector<ConvCase> cases;
  const int out = vector_lanes() + 1;
  using Kind = PointwiseFunction::Kind;
  for (const Kind function : {Kind::silu, Kind::prelu, Kind::gelu}) {
    for (const bool residual : {false, true}) {
      for (const int channels : {out, 2 * out, vector_lanes() / 2}) {
        cases.push_back({.batch = 2,
                         .window = w,
                         .full_inputs = {19},
                         .inputs = {17},
                         .full_out = 2 * out,
                         .out = std::max(1, channels),
                         .residual = residual,
                         .function = function});
      }
    }
  }
  for (const FusedActivation act : {FusedActivation::none, FusedActivation::relu, FusedActivation::relu6}) {
    for (const bool residual : {false, true}) {
      for (const bool in_place : {false, true}) {
        cases.push_back({.batch = 3,
                         .window = w,
                         .full_inputs = {19},
                         .inputs = {17},
                         .full_out = out,
                         .out = out,
                         .residual = residual,
                         .in_place = in_place,
                         .act = act});
      }
    }
  }
  return cases;
}

}  // namespace concertina::kernels
