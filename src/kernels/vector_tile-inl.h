// Per-target include guard.
#if defined(CONCERTINA_KERNELS_VECTOR_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONCERTINA_KERNELS_VECTOR_TILE_INL_H_
#undef CONCERTINA_KERNELS_VECTOR_TILE_INL_H_
#else
#define CONCERTINA_KERNELS_VECTOR_TILE_INL_H_
#endif

#include "kernels/row_tile-inl.h"

// What convolutions share whose output vectors each see one vector of inputs.

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

constexpr int kMaxRowKernelHeight = 7;

/// Args: DepthwiseArgs or ConvArgs.
template <class Args>
TileOutput vector_output(const Args& args, int first, int channel, int pixels) {
  const Epilogue& e = args.epilogue;
  return {.scale = {hn::LoadU(kTag, e.scale + channel), hn::Zero(kTag)},
          .shift = {hn::LoadU(kTag, e.shift + channel), hn::Zero(kTag)},
          .residual = e.residual == nullptr ? nullptr : e.residual + first * e.residual_stride + channel,
          .residual_stride = e.residual_stride,
          .out = args.output + first * args.output_stride + channel,
          .stride = args.output_stride,
          .pixels = pixels,
          .tail = kLanes,
          .act = e.act};
}

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

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
