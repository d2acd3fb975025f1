#include <benchmark/benchmark.h>

#include <vector>

#include "base/aligned_buffer.h"
#include "base/random.h"
#include "kernels/bf16_conv.h"
#include "kernels/conv.h"
#include "kernels/int8_conv.h"
#include "kernels/layout.h"
#include "kernels/planar_conv.h"
#include "kernels/winograd.h"

namespace concertina::kernels {
namespace {

AlignedBuffer random_buffer(std::size_t size, std::uint64_t seed) {
  AlignedBuffer buffer(size);
  const CounterRandom random(seed);
  for (std::size_t i = 0; i < size; ++i) buffer.data()[i] = static_cast<float>(random.uniform(i) - 0.5);
  return buffer;
}

/// A convolution of `in` to `out` channels on a size x size map, run as the part `active` / 4 of its
/// channels.
struct Case {
  int size;
  int in;
  int out;
  int kernel;
  int batch = 1;
  int active = 4;
  int stride = 1;
};

enum class Kernel { direct, planar, bf16, int8, winograd, winograd2 };
constexpr const char* kPrefixes[] = {"", "planar/", "bf16/", "int8/", "winograd/", "winograd-2x2/"};

AlignedBuffer pack(Kernel kernel, const Filter& filter, const WindowArgs& window, const float* oihw) {
  const int side = kernel == Kernel::winograd2 ? 2 : 4;
  const auto packed = [](std::size_t floats, const auto& fill) {
    AlignedBuffer buffer(floats);
    fill(buffer.data());
    return buffer;
  };
  switch (kernel) {
    case Kernel::bf16:
      return packed(packed_size_bf16(filter, window),
                    [&](float* to) { pack_bf16(filter, window, oihw, to); });
    case Kernel::int8:
      return packed(packed_size_int8(filter), [&](float* to) { pack_int8(filter, oihw, to); });
    case Kernel::winograd:
    case Kernel::winograd2:
      return packed(packed_size_winograd(filter, side),
                    [&](float* to) { pack_winograd(filter, side, oihw, to); });
    case Kernel::direct:
    case Kernel::planar:
      break;
  }
  return packed(packed_size_conv(filter), [&](float* to) { pack_conv(filter, oihw, to); });
}

void run(benchmark::State& state, const Case& c, int threads, Kernel kernel) {
  const int side = kernel == Kernel::winograd2 ? 2 : 4;
  const bool winograd = kernel >= Kernel::winograd;
  const int in = c.in == 3 ? 3 : c.in * c.active / 4;  // an image keeps its channels
  const int out = c.out * c.active / 4;
  const Filter filter{.out_channels = c.out, .in_channels = c.in, .taps = c.kernel * c.kernel};
  const AlignedBuffer weights = random_buffer(static_cast<std::size_t>(c.out) * c.in * filter.taps, 1);
  const int unit = kernel == Kernel::planar ? kPlanarBlock : vector_lanes();
  const int in_stride = round_up(in, unit);
  const int out_stride = round_up(out, unit);
  const int out_size = (c.size - 1) / c.stride + 1;
  const auto pixels = static_cast<std::size_t>(c.batch) * out_size * out_size;
  const AlignedBuffer input =
      random_buffer(static_cast<std::size_t>(c.batch) * c.size * c.size * in_stride, 2);
  AlignedBuffer output(pixels * out_stride);
  const AlignedBuffer scale = random_buffer(static_cast<std::size_t>(epilogue_size(out)), 3);
  const ChannelRange range{.count = in};
  const WindowArgs window{.in_h = c.size,
                          .in_w = c.size,
                          .out_h = out_size,
                          .out_w = out_size,
                          .kernel_h = c.kernel,
                          .kernel_w = c.kernel,
                          .stride_h = c.stride,
                          .stride_w = c.stride,
                          .pad_top = c.kernel / 2,
                          .pad_left = c.kernel / 2};
  const AlignedBuffer packed = pack(kernel, filter, window, weights.data());
  const ConvArgs args{
      .filter = filter,
      .packed = packed.data(),
      .batch = c.batch,
      .window = window,
      .input = input.data(),
      .input_stride = in_stride,
      .inputs = {&range, 1},
      .out_channels = out,
      .output = output.data(),
      .output_stride = out_stride,
      .epilogue = {.scale = scale.data(), .shift = scale.data(), .act = FusedActivation::relu},
      .bf16_unit = best_bf16_unit(),
      .int8 = int8_input(*best_int8_unit(), 1 / 255.0F, 0)};
  AlignedBuffer workspace(
      std::max({workspace_winograd(side, args.inputs), workspace_planar(window, args.inputs),
                workspace_bf16(filter, window, args.inputs), workspace_int8(window, args.inputs)}) *
      static_cast<std::size_t>(threads));
  ThreadPool pool(threads);
  for (auto _ : state) {
    if (winograd) {
      winograd_conv(args, side, workspace.data(), pool);
    } else if (kernel == Kernel::planar) {
      planar_conv(args, workspace.data(), pool);
    } else if (kernel == Kernel::bf16) {
      bf16_conv(args, workspace.data(), pool);
    } else if (kernel == Kernel::int8) {
      int8_conv(args, workspace.data(), pool);
    } else {
      conv(args, pool);
    }
    benchmark::ClobberMemory();
  }
  const double flop = 2.0 * static_cast<double>(pixels) * in * out * filter.taps;
  state.counters["GFLOP/s"] = benchmark::Counter(flop / 1e9, benchmark::Counter::kIsIterationInvariantRate);
}

const int kRegistered = [] {
  const struct {
    const char* name;
    Case shape;
  } cases[] = {
      {"resnet20/32x32x16", {32, 16, 16, 3}},
      {"resnet20/32x32x16/x0.25", {32, 16, 16, 3, 1, 1}},
      {"resnet20/16x16x32/x0.25", {16, 32, 32, 3, 1, 1}},
      {"resnet20/8x8x64/x0.25", {8, 64, 64, 3, 1, 1}},
      {"mobilenet/112x112x32-64/x0.25", {112, 32, 64, 1, 1, 1}},
      {"mobilenet/14x14x512/x0.25", {14, 512, 512, 1, 1, 1}},
      {"resnet20/16x16x32", {16, 32, 32, 3}},
      {"resnet20/8x8x64", {8, 64, 64, 3}},
      {"resnet18/56x56x64", {56, 64, 64, 3}},
      {"resnet18/28x28x128", {28, 128, 128, 3}},
      {"resnet18/14x14x256", {14, 256, 256, 3}},
      {"resnet18/7x7x512", {7, 512, 512, 3}},
      {"resnet18/14x14x256/x0.5", {14, 256, 256, 3, 1, 2}},
      {"resnet18/14x14x256/batch8", {14, 256, 256, 3, 8}},
      {"stem/224x224x3", {224, 3, 64, 7, 1, 4, 2}},
      {"stem/224x224x3/x0.25", {224, 3, 64, 7, 1, 1, 2}},
      {"mobilenet/stem/x0.25", {224, 3, 32, 3, 1, 1, 2}},
      {"shortcut/56x56x64-128", {56, 64, 128, 1, 1, 4, 2}},
      {"resnet18/56x56x64-128", {56, 64, 128, 3, 1, 4, 2}},
      {"pointwise/14x14x512", {14, 512, 512, 1}},
      {"linear/512x1000", {1, 512, 1000, 1}},
      {"linear/25088x4096", {1, 25088, 4096, 1}},
      {"linear/25088x4096/batch8", {1, 25088, 4096, 1, 8}},
  };
  for (const auto& c : cases) {
    std::vector<Kernel> kernels = {Kernel::direct};
    if (c.shape.out * c.shape.active / 4 <= vector_lanes()) kernels.push_back(Kernel::planar);
    kernels.push_back(Kernel::int8);
    if (best_bf16_unit() != nullptr) kernels.push_back(Kernel::bf16);
    if (c.shape.kernel == 3 && c.shape.stride == 1) {
      kernels.insert(kernels.end(), {Kernel::winograd, Kernel::winograd2});
    }
    for (const Kernel kernel : kernels) {
      for (const int threads : {1, 2}) {
        const auto name = std::string(kPrefixes[static_cast<std::size_t>(kernel)]) + c.name +
                          "/threads:" + std::to_string(threads);
        benchmark::RegisterBenchmark(
            name.c_str(), [c, threads, kernel](benchmark::State& s) { run(s, c.shape, threads, kernel); })
            ->Unit(benchmark::kMicrosecond)
            ->UseRealTime();
      }
    }
  }
  return 0;
}();

}  // namespace
}  // namespace concertina::kernels
