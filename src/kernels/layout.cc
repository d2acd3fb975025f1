#include "kernels/layout.h"

#include <algorithm>

#include "kernels/parallel.h"
#include "kernels/target.h"
#include "kernels/window.h"

// Plain loops: all of this is bound by memory, and the compiler does the copies with vectors by itself.
namespace concertina::kernels {
namespace {

/// out[c * pixels + p] = in[p * stride + c], in blocks of pixels so that the lines being written stay in the
/// first-level cache.
void transpose(const float* in, std::ptrdiff_t stride, int channels, int pixels, int begin, int end,
               float* out) {
  for (int c = 0; c < channels; ++c) {
    float* plane = out + static_cast<std::ptrdiff_t>(c) * pixels;
    for (int p = begin; p < end; ++p) plane[p] = in[p * stride + c];
  }
}

constexpr int kBlock = 64;

/// Calls body(image, begin, end) for blocks of the pixels of every image.
template <typename Body>
void for_pixel_blocks(int batch, int pixels, ThreadPool& pool, const Body& body) {
  const int blocks = (pixels + kBlock - 1) / kBlock;
  pool.parallel_for(batch * blocks, [&](int unit) {
    const int begin = unit % blocks * kBlock;
    body(static_cast<std::ptrdiff_t>(unit / blocks), begin, std::min(pixels, begin + kBlock));
  });
}

}  // namespace

void from_plain(const FromPlainArgs& args, ThreadPool& pool) {
  for_pixel_blocks(args.batch, args.pixels, pool, [&](std::ptrdiff_t n, int begin, int end) {
    const float* in = args.input + n * args.channels * args.pixels;
    float* out = args.output + n * args.pixels * args.output_stride;
    for (int c = 0; c < args.channels; ++c) {
      const float* plane = in + static_cast<std::ptrdiff_t>(c) * args.pixels;
      for (int p = begin; p < end; ++p) out[p * args.output_stride + c] = plane[p];
    }
  });
}

void to_plain(const ToPlainArgs& args, ThreadPool& pool) {
  for_pixel_blocks(args.batch, args.pixels, pool, [&](std::ptrdiff_t n, int begin, int end) {
    transpose(args.input + n * args.pixels * args.input_stride, args.input_stride, args.channels, args.pixels,
              begin, end, args.output + n * args.output_channels * args.pixels);
  });
}

void copy_channels(const CopyArgs& args, ThreadPool& pool) {
  const int channels = round_up(args.channels, vector_lanes());
  for_pixels(args.pixels, channels, pool, [&](std::ptrdiff_t p) {
    std::copy_n(args.input + p * args.input_stride, channels, args.output + p * args.output_stride);
  });
}

void flatten(const FlattenArgs& args, ThreadPool& pool) {
  for_pixel_blocks(args.batch, args.pixels, pool, [&](std::ptrdiff_t n, int begin, int end) {
    for (const FlattenSegment& s : args.segments) {
      transpose(args.input + n * args.pixels * args.input_stride + s.input_offset, args.input_stride, s.count,
                args.pixels, begin, end, args.output + n * args.output_stride + s.output_offset);
    }
  });
}

}  // namespace concertina::kernels
