#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/thread_pool.h"

/// Moving activations: between pixels (layout.h) and plain arrays, and within it.
namespace concertina::kernels {

/// `channels` planes of a plain [batch][input_channels][plane] -> [batch][pixels][output_stride]. The padding
/// lanes are not written.
struct FromPlainArgs {
  int batch = 1;
  int channels = 0;
  int pixels = 1;                ///< of each plane, from the input's on
  int plane = 1;                 ///< h * w
  const float* input = nullptr;  ///< the plane of the segment's first channel in the first image
  int input_channels = 0;        ///< planes of one image in the input, all segments together
  float* output = nullptr;       ///< the segment's first channel
  std::ptrdiff_t output_stride = 0;
};

void from_plain(const FromPlainArgs& args, ThreadPool& pool);

/// [batch][pixels][input_stride] -> `channels` planes of a plain [batch][output_channels][pixels].
struct ToPlainArgs {
  int batch = 1;
  int channels = 0;
  int pixels = 1;
  const float* input = nullptr;  ///< the segment's first channel
  std::ptrdiff_t input_stride = 0;
  float* output = nullptr;  ///< the plane of the segment's first channel in the first image
  int output_channels = 0;  ///< planes of one image in the output, all segments together
};

void to_plain(const ToPlainArgs& args, ThreadPool& pool);

/// Copies one segment into its place in other pixels: [pixels][input_stride] -> [pixels][output_stride].
/// `channels` is rounded up to vector_lanes(). (A concat is one of these for each segment.)
struct CopyArgs {
  std::ptrdiff_t pixels = 0;
  int channels = 0;
  const float* input = nullptr;
  std::ptrdiff_t input_stride = 0;
  float* output = nullptr;
  std::ptrdiff_t output_stride = 0;
};

void copy_channels(const CopyArgs& args, ThreadPool& pool);

/// Channel k of every pixel is sources[k] floats into the input's: [pixels][input_stride] ->
/// [pixels][output_stride]. The output does not overlap the input.
struct GatherArgs {
  std::ptrdiff_t pixels = 0;
  std::span<const std::int32_t> sources;  ///< for whole vectors of channels
  const float* input = nullptr;
  std::ptrdiff_t input_stride = 0;
  float* output = nullptr;
  std::ptrdiff_t output_stride = 0;
};

void gather_channels(const GatherArgs& args, ThreadPool& pool);

/// The order of features after a flatten is that of NCHW: channel c at pixel p is feature c * pixels + p of
/// its segment.
struct FlattenSegment {
  int input_offset = 0;   ///< the segment's place in the input pixel
  int count = 0;          ///< its real channels
  int output_offset = 0;  ///< its place in the output row; count * pixels floats are written there
};

/// [batch][pixels][input_stride] -> [batch][output_stride]
struct FlattenArgs {
  int batch = 1;
  int pixels = 1;
  const float* input = nullptr;
  std::ptrdiff_t input_stride = 0;
  std::span<const FlattenSegment> segments;
  float* output = nullptr;
  std::ptrdiff_t output_stride = 0;
};

void flatten(const FlattenArgs& args, ThreadPool& pool);

}  // namespace concertina::kernels
