// Per-target include guard.
#if defined(CONCERTINA_KERNELS_VECTOR_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONCERTINA_KERNELS_VECTOR_TILE_INL_H_
#undef CONCERTINA_KERNELS_VECTOR_TILE_INL_H_
#else
#define CONCERTINA_KERNELS_VECTOR_TILE_INL_H_
#endif

#include "base/thread_pool.h"
#include "kernels/row_tile-inl.h"

// What convolutions share whose output vectors each see one vector of inputs.

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

constexpr int kMaxRowKernelHeight = 7;

/// tile(pixel) += function(the vector at x[pixel] + c) * w
template <int kPixels, class Function>
HWY_INLINE void add_vectors(Tile<kPixels, 1>& tile, const float* const* x, int c, const Function& function,
                            V w) {
  if constexpr (kPixels > 0) {
    add_vectors(tile.before, x, c, function, w);
    tile.a = hn::MulAdd(function(hn::LoadU(kTag, x[kPixels - 1] + c)), w, tile.a);
  }
}

template <class Row>
constexpr int kMaxVectorPixels = std::min(16, kMaxRowPixels<Row, 1>);

// Sums of eight pixels hide the latency of the multiply-adds, and each weight is loaded once for them.
constexpr int kVectorTilePixels = 8;

// A Kernel has Args, and two static functions: run_tile(args, first, pixels) for up to kVectorTilePixels
// output pixels of the batch, and run_row_tile<Row, kPixels>(args, out_row, x, pixels) for some of one row.

template <class Kernel>
using VectorRowTile = void (*)(const typename Kernel::Args&, int out_row, int x, int pixels);

template <class Kernel, class Row>
constexpr auto kVectorRowTiles = tile_functions<VectorRowTile<Kernel>, kMaxVectorPixels<Row>>(
    DepthwiseLengths(), []<int kPixels>(std::integral_constant<int, kPixels>) -> VectorRowTile<Kernel> {
      return Kernel::template run_row_tile<Row, kPixels>;
    });

/// None where there are none for this window; Wide... rows are taken with 32 registers only.
template <class Kernel, class... WideRows>
TileTable<VectorRowTile<Kernel>> vector_row_tiles(const WindowArgs& w) {
  TileTable<VectorRowTile<Kernel>> tiles;
  if (w.dilation_h != 1 || w.dilation_w != 1 || w.kernel_h > kMaxRowKernelHeight) return tiles;
  const auto take = [&]<class Row>(Row) {
    if (w.kernel_w == Row::kTaps && w.stride_w == Row::kStride) tiles = kVectorRowTiles<Kernel, Row>;
  };
  take(KernelRow<3, 1>());
  take(KernelRow<3, 2>());
  if constexpr (k32Registers) (take(WideRows()), ...);
  return tiles;
}

/// Every output pixel, by row tiles if there are any.
template <class Kernel>
void run_vector_tiles(const typename Kernel::Args& args, const TileTable<VectorRowTile<Kernel>>& row_tiles,
                      ThreadPool& pool) {
  const int rows = args.batch * args.window.out_h;
  const int width = args.window.out_w;
  if (row_tiles) {
    pool.parallel_for(rows, [&](int row) {
      cover_rows(row_tiles, width, row * width, (row + 1) * width,
                 [&](VectorRowTile<Kernel> run, int, int x, int pixels) { run(args, row, x, pixels); });
    });
    return;
  }
  const int pixels = rows * width;
  pool.parallel_for(hwy::DivCeil(pixels, kVectorTilePixels), [&](int tile) {
    const int first = tile * kVectorTilePixels;
    Kernel::run_tile(args, first, std::min(pixels - first, kVectorTilePixels));
  });
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
