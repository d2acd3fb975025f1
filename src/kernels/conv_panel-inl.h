// Per-target include guard.
#if defined(CONCERTINA_KERNELS_CONV_PANEL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONCERTINA_KERNELS_CONV_PANEL_INL_H_
#undef CONCERTINA_KERNELS_CONV_PANEL_INL_H_
#else
#define CONCERTINA_KERNELS_CONV_PANEL_INL_H_
#endif

#include "kernels/conv_types.h"
#include "kernels/tile_table-inl.h"

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

/// Output channels whose weights lie together.
constexpr int kPanel = 2 * kLanes;

/// Pixels of a tile that broadcasts an input to two vectors: of sums, for each pixel, and of weights; with
/// the input that fills 31 of 32 registers, or 15 of 16.
constexpr int kTilePixels = k32Registers ? 14 : 6;

/// One panel of output channels: what all its tiles share.
struct PanelJob {
  const ConvArgs& args;
  const float* weights;                  // [taps][in_channels][kPanel]
  const float* input;                    // the group's first channel
  std::span<const ChannelRange> inputs;  // counted from there
  int channel;                           // the panel's first output channel, over all groups
  int tail;                              // see TileOutput
};

HWY_INLINE TileOutput tile_output(const PanelJob& job, int first, int pixels) {
  return tile_output<2>(job.args, first, job.channel, pixels, job.tail);
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
