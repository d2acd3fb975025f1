#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/parallel.h"
#include "kernels/phases.h"

/// Convolutions that first convert a part of their input, a chunk, into a thread's memory, and then multiply
/// it by all panels of the filter.
namespace concertina::kernels {

/// Output channels of a panel of such a filter. Panels are multiplied in pairs.
inline constexpr int kChunkPanel = 16;

/// The most output pixels that are multiplied at a time.
inline constexpr int kMaxBlockPixels = 32;

/// The most taps of such a filter.
inline constexpr int kMaxChunkTaps = 256;

/// Some rows of one image, or all of several.
struct Chunk {
  int image = 0;
  int images = 1;
  int row = 0;
  int rows = 0;
};

/// How a chunk's inputs lie in the thread's memory, in elements.
struct ChunkGeometry : Phases {
  std::ptrdiff_t channels = 0;  ///< of an input pixel
  std::ptrdiff_t pixel = 0;     ///< from one output's input to the next one's
  std::ptrdiff_t most = 0;      ///< that stay in the second-level cache while all panels read them

  using Phases::Phases;

  std::ptrdiff_t row() const { return width * pixel; }
  std::ptrdiff_t rows(int output_rows) const {
    return static_cast<std::ptrdiff_t>(down) * across * (output_rows + halo) * row();
  }

  /// Output rows of one image that fit a chunk.
  int most_rows(const WindowArgs& w) const {
    const std::ptrdiff_t fit = most / rows(1 - halo) - halo;
    const int least = (kMaxBlockPixels + width - 1) / width;
    return static_cast<int>(std::clamp<std::ptrdiff_t>(fit, std::min(least, w.out_h), w.out_h));
  }
  /// Images of which all rows fit, or as many as fill a block of pixels, which reads all weights.
  int most_images(const WindowArgs& w) const {
    const int least = (kMaxBlockPixels + w.out_h * width - 1) / (w.out_h * width);
    return static_cast<int>(std::max<std::ptrdiff_t>(least, most / rows(w.out_h)));
  }

  /// Of the largest chunk. The last block may read past the last pixel, and that `block` past its last
  /// channel.
  std::ptrdiff_t elements(const WindowArgs& w, int block) const {
    const int some = most_rows(w);
    const std::ptrdiff_t chunk = some < w.out_h ? rows(some) : most_images(w) * rows(some);
    return chunk + kMaxBlockPixels * pixel + block;
  }

  /// From one phase of a chunk to the next.
  std::ptrdiff_t phase(const Chunk& chunk) const {
    return static_cast<std::ptrdiff_t>(chunk.images) * (chunk.rows + halo) * row();
  }

  /// Outputs of a chunk, with those between the rows.
  int outputs(const WindowArgs& w, const Chunk& chunk) const {
    return chunk.images * (chunk.rows + halo) * width - halo * width - (width - w.out_w);
  }
};

/// Walks through the outputs of a chunk, real and between the rows.
class ChunkOutputs {
 public:
  ChunkOutputs(const WindowArgs& w, const ChunkGeometry& g, const Chunk& chunk)
      : window_(w), width_(g.width), all_rows_(chunk.rows + g.halo), chunk_(chunk) {}

  /// The number of the current output pixel over the whole batch, or -1 between the rows.
  std::ptrdiff_t current() const {
    if (x_ >= window_.out_w || y_ >= chunk_.rows) return -1;
    return (static_cast<std::ptrdiff_t>(chunk_.image) * window_.out_h + chunk_.row + y_) * window_.out_w + x_;
  }
  void next() {
    if (++x_ < width_) return;
    x_ = 0;
    if (++y_ < all_rows_) return;
    y_ = 0;
    ++chunk_.image;
  }

 private:
  const WindowArgs& window_;
  int width_;
  int all_rows_;
  Chunk chunk_;  // its image is the current one
  int x_ = 0;
  int y_ = 0;
};

/// Calls body(chunk, first pair of panels, last pair + 1, thread) until all outputs are made. Threads share
/// rows, or images where all rows fit; of few pixels, each converts all and they share the panels.
template <class Body>
void for_each_chunk(const ConvArgs& args, const ChunkGeometry& g, ThreadPool& pool, const Body& body) {
  constexpr int kMinChunkPixels = 64;  // fewer are not worth splitting over threads
  const WindowArgs& w = args.window;
  const int threads = pool.size();
  const int pairs = (args.out_channels + 2 * kChunkPanel - 1) / (2 * kChunkPanel);
  const int rows = g.most_rows(w);
  int pieces = (w.out_h + rows - 1) / rows;
  int images = pieces > 1 ? 1 : std::min(args.batch, g.most_images(w));
  const auto chunks = [&] { return pieces * ((args.batch + images - 1) / images); };
  if (chunks() < threads && args.batch >= threads) images = args.batch / threads;
  if (chunks() < threads) {
    pieces = std::clamp((threads + args.batch - 1) / args.batch, pieces,
                        std::max(pieces, std::min(w.out_h, w.out_h * g.width / kMinChunkPixels)));
    if (pieces > 1) images = 1;
  }
  const int sharing = chunks() < threads ? std::min(pairs, threads) : 1;
  pool.parallel_for(chunks() * sharing, [&](int call, int thread) {
    const int at = call / sharing;
    const int part = call % sharing;
    const int piece = at % pieces;
    const int image = at / pieces * images;
    const int row = part_begin(w.out_h, pieces, piece);
    const Chunk chunk{.image = image,
                      .images = std::min(images, args.batch - image),
                      .row = row,
                      .rows = part_begin(w.out_h, pieces, piece + 1) - row};
    body(chunk, part_begin(pairs, sharing, part), part_begin(pairs, sharing, part + 1), thread);
  });
}

}  // namespace concertina::kernels
