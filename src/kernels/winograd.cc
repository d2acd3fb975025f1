#include "kernels/winograd.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "kernels/layout.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/winograd.cc"
#include "hwy/foreach_target.h"  // must come before highway.h
#include "hwy/highway.h"
#include "kernels/conv_panel-inl.h"

namespace concertina::kernels {
#ifndef CONCERTINA_KERNELS_WINOGRAD_CONSTANTS_
#define CONCERTINA_KERNELS_WINOGRAD_CONSTANTS_

/// F(kSide x kSide, 3x3): a tile is so many output pixels, made of kInput x kInput inputs in as many
/// products.
template <int kSide>
constexpr int kInput = kSide + 2;
template <int kSide>
constexpr int kProducts = kInput<kSide>* kInput<kSide>;

// Transformed inputs that exist at one time stay in the second-level cache, but at least as many tiles as
// make the weights worth reading.
constexpr std::size_t kChunkFloats = 96 * 1024;
constexpr std::size_t kMinChunkTiles = 28;

// Tiles whose products are computed and transformed back together.
constexpr int kBlockTiles = 28;

/// G
template <int kSide>
constexpr double kFilterTransform[kInput<kSide>][3] = {
    {1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
template <>
constexpr double kFilterTransform<4>[6][3] = {{1.0 / 4, 0, 0},
                                              {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                              {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                              {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                              {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                              {0, 0, 1}};

/// Floats of one tile's transformed inputs for each product: the ranges side by side in whole vectors.
inline std::size_t transformed_channels(std::span<const ChannelRange> inputs, int lanes) {
  std::size_t sum = 0;
  for (const ChannelRange& range : inputs) sum += static_cast<std::size_t>(round_up(range.count, lanes));
  return sum;
}

inline std::size_t most_chunk_tiles(int products, std::size_t channels) {
  return std::max(kMinChunkTiles, kChunkFloats / (static_cast<std::size_t>(products) * channels));
}

/// A thread's scratch memory: the transformed inputs of a chunk, then the products of a block under a panel.
inline std::size_t transformed_floats(int products, std::size_t channels) {
  return most_chunk_tiles(products, channels) * channels * static_cast<std::size_t>(products);
}
inline std::size_t workspace_floats(int products, std::size_t channels, int lanes) {
  return transformed_floats(products, channels) +
         static_cast<std::size_t>(products * kBlockTiles * 2 * lanes);
}

#endif
}  // namespace concertina::kernels

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

/// d -> B^T d
HWY_INLINE void transform_input(const V (&d)[4], V (&t)[4]) {
  t[0] = hn::Sub(d[0], d[2]);
  t[1] = hn::Add(d[1], d[2]);
  t[2] = hn::Sub(d[2], d[1]);
  t[3] = hn::Sub(d[1], d[3]);
}
HWY_INLINE void transform_input(const V (&d)[6], V (&t)[6]) {
  const V four = hn::Set(kTag, 4.0f);
  const V five = hn::Set(kTag, 5.0f);
  const V a = hn::NegMulAdd(four, d[2], d[4]);
  const V b = hn::NegMulAdd(four, d[1], d[3]);
  const V c = hn::Sub(d[4], d[2]);
  const V e = hn::Sub(d[3], d[1]);
  const V twice = hn::Add(e, e);
  t[0] = hn::MulAdd(four, d[0], hn::NegMulAdd(five, d[2], d[4]));
  t[1] = hn::Add(a, b);
  t[2] = hn::Sub(a, b);
  t[3] = hn::Add(c, twice);
  t[4] = hn::Sub(c, twice);
  t[5] = hn::MulAdd(four, d[1], hn::NegMulAdd(five, d[3], d[5]));
}

/// m -> A^T m
HWY_INLINE void transform_output(const V (&m)[4], V (&y)[2]) {
  y[0] = hn::Add(hn::Add(m[0], m[1]), m[2]);
  y[1] = hn::Sub(hn::Sub(m[1], m[2]), m[3]);
}
HWY_INLINE void transform_output(const V (&m)[6], V (&y)[4]) {
  const V s = hn::Add(m[1], m[2]);
  const V d = hn::Sub(m[1], m[2]);
  const V s2 = hn::Add(m[3], m[4]);
  const V d2 = hn::Sub(m[3], m[4]);
  y[0] = hn::Add(hn::Add(m[0], s), s2);
  y[1] = hn::MulAdd(hn::Set(kTag, 2.0f), d2, d);
  y[2] = hn::MulAdd(hn::Set(kTag, 4.0f), s2, s);
  y[3] = hn::MulAdd(hn::Set(kTag, 8.0f), d2, hn::Add(d, m[5]));
}

/// Some tiles of the batch, their transformed inputs [products][tiles][channels], and room for the products
/// of a block [products][kBlockTiles][kPanel].
struct Chunk {
  int first;
  int tiles;
  std::ptrdiff_t channels;
  float* transformed;
  float* sums;

  float* row(int product, int tile) const {
    return transformed + (static_cast<std::ptrdiff_t>(product) * tiles + tile) * channels;
  }
};

/// Where the output of a tile of side x side begins.
struct TilePlace {
  int image;
  int y;
  int x;

  TilePlace(const WindowArgs& w, int side, int tile) {
    const int across = hwy::DivCeil(w.out_w, side);
    const int down = hwy::DivCeil(w.out_h, side);
    image = tile / (across * down);
    y = tile / across % down * side;
    x = tile % across * side;
  }
};

template <int kSide>
void transform_tile(const ConvArgs& args, const Chunk& chunk, int tile) {
  const WindowArgs& w = args.window;
  const TilePlace place(w, kSide, chunk.first + tile);
  const int top = place.y - w.pad_top;
  const int left = place.x - w.pad_left;
  const float* at[kProducts<kSide>];  // null in the padding
  for (int i = 0; i < kInput<kSide>; ++i) {
    const std::ptrdiff_t row = (static_cast<std::ptrdiff_t>(place.image) * w.in_h + top + i) * w.in_w + left;
    for (int j = 0; j < kInput<kSide>; ++j) {
      const bool inside = static_cast<unsigned>(top + i) < static_cast<unsigned>(w.in_h) &&
                          static_cast<unsigned>(left + j) < static_cast<unsigned>(w.in_w);
      at[i * kInput<kSide> + j] = inside ? args.input + (row + j) * args.input_stride : nullptr;
    }
  }
  float* to = chunk.row(0, tile);
  const std::ptrdiff_t product_size = chunk.tiles * chunk.channels;
  for (const ChannelRange& range : args.inputs) {
    for (int c = 0; c < range.count; c += kLanes, to += kLanes) {
      V half[kInput<kSide>][kInput<kSide>];
      for (int j = 0; j < kInput<kSide>; ++j) {
        V d[kInput<kSide>], t[kInput<kSide>];
        for (int i = 0; i < kInput<kSide>; ++i) {
          const float* from = at[i * kInput<kSide> + j];
          d[i] = from == nullptr ? hn::Zero(kTag) : hn::LoadU(kTag, from + range.input_offset + c);
        }
        transform_input(d, t);
        for (int i = 0; i < kInput<kSide>; ++i) half[i][j] = t[i];
      }
      for (int i = 0; i < kInput<kSide>; ++i) {
        V t[kInput<kSide>];
        transform_input(half[i], t);
        for (int j = 0; j < kInput<kSide>; ++j) {
          hn::Store(t[j], kTag, to + (i * kInput<kSide> + j) * product_size);
        }
      }
    }
  }
}

/// One product of tiles first .. first + tiles - 1 under one panel: -> sums [tiles][kPanel].
template <int kTiles, int kVectors>
void multiply(const ConvArgs& args, const Chunk& chunk, const float* weights, int product, int first,
              int tiles, float* sums) {
  const float* x[kTiles];
  for (int t = 0; t < kTiles; ++t) x[t] = chunk.row(product, first + std::min(t, tiles - 1));
  Tile<kTiles, kVectors> tile;
  for (const ChannelRange& range : args.inputs) {
    const float* w = weights + std::ptrdiff_t{range.weight_begin} * kPanel;
    for (int c = 0; c < range.count; ++c, w += kPanel) {
      tile.add_broadcast(x, c, hn::Load(kTag, w), hn::Load(kTag, w + kLanes));
    }
    for (int t = 0; t < kTiles; ++t) x[t] += round_up(range.count, kLanes);
  }
  tile.store(sums, kPanel, tiles);
}

using Multiply = void (*)(const ConvArgs&, const Chunk&, const float*, int, int, int, float*);

template <int kVectors>
constexpr auto kMultiply = tile_functions<Multiply, kTilePixels>(
    ShortLengths(),
    []<int kTiles>(std::integral_constant<int, kTiles>) -> Multiply { return multiply<kTiles, kVectors>; });

/// The products [kProducts<kSide>][tiles][kPanel] of one tile and one vector of channels -> output pixels.
template <int kSide>
void store_tile(const WindowArgs& w, const TileOutput& output, int tile, int vector, const float* sums,
                int tiles) {
  V half[kSide][kInput<kSide>];
  for (int j = 0; j < kInput<kSide>; ++j) {
    V m[kInput<kSide>], y[kSide];
    for (int i = 0; i < kInput<kSide>; ++i) {
      m[i] = hn::Load(kTag, sums + std::ptrdiff_t{i * kInput<kSide> + j} * tiles * kPanel);
    }
    transform_output(m, y);
    for (int i = 0; i < kSide; ++i) half[i][j] = y[i];
  }
  const AllBounds bounds(output.act);
  const TilePlace place(w, kSide, tile);
  const int columns = std::min(kSide, w.out_w - place.x);
  const int rows = std::min(kSide, w.out_h - place.y);
  for (int i = 0; i < rows; ++i) {
    V y[kSide];
    transform_output(half[i], y);
    const int pixel = (place.image * w.out_h + place.y + i) * w.out_w + place.x;
    for (int j = 0; j < columns; ++j) {
      if (output.residual == nullptr) {
        output.put<false>(pixel + j, vector, y[j], bounds);
      } else {
        output.put<true>(pixel + j, vector, y[j], bounds);
      }
    }
    if (output.function == nullptr) continue;
    output.function->apply(output.out + pixel * output.stride + vector * kLanes, output.stride, columns,
                           output.channel + vector * kLanes, kLanes);
  }
}

/// Tiles first .. last - 1 of the chunk, at most kBlockTiles, under one panel.
template <int kSide>
void run_block(const ConvArgs& args, const Chunk& chunk, int panel, int first, int last) {
  const int begin = panel * kPanel;
  const int vectors = args.out_channels - begin <= kLanes ? 1 : 2;
  const std::ptrdiff_t product_size = static_cast<std::ptrdiff_t>(args.filter.in_channels) * kPanel;
  const PanelJob job{.args = args,
                     .weights = args.packed + panel * kProducts<kSide> * product_size,
                     .input = args.input,
                     .inputs = args.inputs,
                     .channel = begin,
                     .tail = kLanes};
  const int tiles = last - first;
  const TileTable table(vectors == 1 ? kMultiply<1> : kMultiply<2>);
  for (int product = 0; product < kProducts<kSide>; ++product) {
    for (int at = 0, count = 0; at < tiles; at += count) {
      count = table.length(tiles - at);
      table.functions[count](args, chunk, job.weights + product * product_size, product, first + at, count,
                             chunk.sums + (std::ptrdiff_t{product} * tiles + at) * kPanel);
    }
  }
  const TileOutput output = tile_output(job, 0, 0);
  for (int t = 0; t < tiles; ++t) {
    for (int v = 0; v < vectors; ++v) {
      store_tile<kSide>(args.window, output, chunk.first + first + t, v, chunk.sums + t * kPanel + v * kLanes,
                        tiles);
    }
  }
}

/// Panels first .. last - 1 of a chunk.
template <int kSide>
void run_chunk(const ConvArgs& args, const Chunk& chunk, int first, int last) {
  for (int tile = 0; tile < chunk.tiles; ++tile) transform_tile<kSide>(args, chunk, tile);
  for (int panel = first; panel < last; ++panel) {
    for (int at = 0; at < chunk.tiles; at += kBlockTiles) {
      run_block<kSide>(args, chunk, panel, at, std::min(chunk.tiles, at + kBlockTiles));
    }
  }
}

template <int kSide>
void run(const ConvArgs& args, float* workspace, ThreadPool& pool) {
  const WindowArgs& w = args.window;
  const int tiles = args.batch * hwy::DivCeil(w.out_h, kSide) * hwy::DivCeil(w.out_w, kSide);
  const int panels = hwy::DivCeil(args.out_channels, kPanel);
  const std::size_t channels = transformed_channels(args.inputs, kLanes);
  const std::size_t most = most_chunk_tiles(kProducts<kSide>, channels);
  // Threads share the tiles; of few tiles, each transforms all and they share the panels, which costs less
  // than to fetch what another one has transformed.
  const int sharing = tiles < kTilePixels * pool.size() ? std::min(panels, pool.size()) : 1;
  const int chunks =
      round_up(hwy::DivCeil(tiles, static_cast<int>(most)), hwy::DivCeil(pool.size(), sharing));
  pool.parallel_for(chunks * sharing, [&](int call, int thread) {
    const int at = call / sharing;
    const int part = call % sharing;
    const int first = part_begin(tiles, chunks, at);
    float* own =
        workspace + static_cast<std::size_t>(thread) * workspace_floats(kProducts<kSide>, channels, kLanes);
    const Chunk chunk{.first = first,
                      .tiles = part_begin(tiles, chunks, at + 1) - first,
                      .channels = static_cast<std::ptrdiff_t>(channels),
                      .transformed = own,
                      .sums = own + transformed_floats(kProducts<kSide>, channels)};
    run_chunk<kSide>(args, chunk, part_begin(panels, sharing, part), part_begin(panels, sharing, part + 1));
  });
}

/// g -> G g G^T in double precision, for the output channels of a panel side by side.
template <int kSide>
void transform(const Filter& f, const float* oihw, float* packed) {
  const auto in_channels = static_cast<std::ptrdiff_t>(f.in_channels);
  alignas(64) double taps[9][kPanel] = {};
  alignas(64) double rows[kInput<kSide>][3][kPanel];  // G g
  for (int begin = 0; begin < f.out_channels; begin += kPanel) {
    const int count = std::min(kPanel, f.out_channels - begin);
    for (int t = 0; t < 9; ++t) std::fill(taps[t] + count, taps[t] + kPanel, 0.0);
    for (std::ptrdiff_t c = 0; c < in_channels; ++c) {
      for (int k = 0; k < count; ++k) {
        const float* g = oihw + ((begin + k) * in_channels + c) * 9;
        for (int t = 0; t < 9; ++t) taps[t][k] = static_cast<double>(g[t]);
      }
      for (int i = 0; i < kInput<kSide>; ++i) {
        const auto& of = kFilterTransform<kSide>[i];
        for (int x = 0; x < 3; ++x) {
          for (int k = 0; k < kPanel; ++k) {
            rows[i][x][k] = of[0] * taps[x][k] + of[1] * taps[3 + x][k] + of[2] * taps[6 + x][k];
          }
        }
      }
      for (int i = 0; i < kInput<kSide>; ++i) {
        for (int j = 0; j < kInput<kSide>; ++j) {
          const auto& of = kFilterTransform<kSide>[j];
          float* to = packed + ((i * kInput<kSide> + j) * in_channels + c) * kPanel;
          for (int k = 0; k < kPanel; ++k) {
            to[k] = static_cast<float>(of[0] * rows[i][0][k] + of[1] * rows[i][1][k] + of[2] * rows[i][2][k]);
          }
        }
      }
    }
    packed += kProducts<kSide> * in_channels * kPanel;
  }
}

void winograd_conv(const ConvArgs& args, int side, float* workspace, ThreadPool& pool) {
  side == 2 ? run<2>(args, workspace, pool) : run<4>(args, workspace, pool);
}

void transform_filters(const Filter& f, int side, const float* oihw, float* packed) {
  side == 2 ? transform<2>(f, oihw, packed) : transform<4>(f, oihw, packed);
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {
HWY_EXPORT(winograd_conv);
HWY_EXPORT(transform_filters);

bool can_run_winograd(const Filter& filter, const WindowArgs& w) {
  return filter.groups == 1 && w.kernel_h == 3 && w.kernel_w == 3 && w.stride_h == 1 && w.stride_w == 1 &&
         w.dilation_h == 1 && w.dilation_w == 1;
}

int preferred_side_winograd(const Filter& filter, const WindowArgs& w) {
  const bool pays = can_run_winograd(filter, w) && filter.in_channels >= 32 && filter.out_channels >= 32 &&
                    w.out_h >= 8 && w.out_w >= 8;
  if (!pays) return 0;
  // Of a small map the time goes into reading weights.
  constexpr int kFewPixels = 15 * 15;
  return w.out_h * w.out_w < kFewPixels ? 2 : 4;
}

bool prefers_winograd(int in_channels, int out_channels) {
  return in_channels > 8 && out_channels > 4;
}

std::size_t packed_size_winograd(const Filter& f, int side) {
  return panels_size(f.out_channels, f.in_channels, (side + 2) * (side + 2), 2 * vector_lanes());
}

void pack_winograd(const Filter& filter, int side, const float* oihw, float* packed) {
  HWY_DYNAMIC_DISPATCH(transform_filters)(filter, side, oihw, packed);
}

std::size_t workspace_winograd(int side, std::span<const ChannelRange> inputs) {
  return workspace_floats((side + 2) * (side + 2), transformed_channels(inputs, vector_lanes()),
                          vector_lanes());
}

void winograd_conv(const ConvArgs& args, int side, float* workspace, ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(winograd_conv)(args, side, workspace, pool);
}

}  // namespace concertina::kernels
#endif
