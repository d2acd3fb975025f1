#include "kernels/layout.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/layout.cc"
#include "hwy/foreach_target.h"  // must come before highway.h
#include "hwy/highway.h"
#include "kernels/conv_types.h"

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

int lanes() {
  return static_cast<int>(hwy::HWY_NAMESPACE::Lanes(hwy::HWY_NAMESPACE::ScalableTag<float>()));
}
const char* name() {
  return hwy::TargetName(HWY_TARGET);
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace concertina::kernels {
HWY_EXPORT(lanes);
HWY_EXPORT(name);

const char* target_name() {
  return HWY_DYNAMIC_DISPATCH(name)();
}

int vector_lanes() {
  return HWY_DYNAMIC_DISPATCH(lanes)();
}

// A group's channels may start anywhere, and its last panel reads two whole vectors.
int epilogue_size(int channels) {
  return round_up(channels, vector_lanes()) + 2 * vector_lanes();
}

std::size_t panels_size(int out_channels, int in_channels, int taps, int panel) {
  return static_cast<std::size_t>(round_up(out_channels, panel)) * static_cast<std::size_t>(in_channels) *
         static_cast<std::size_t>(taps);
}

float* pack_panels(const float* filters, int out_channels, int in_channels, int taps, int panel, float* to) {
  for (int begin = 0; begin < out_channels; begin += panel) {
    for (int t = 0; t < taps; ++t) {
      for (int c = 0; c < in_channels; ++c) {
        for (int k = begin; k < begin + panel; ++k) {
          *to++ = k < out_channels ? filters[(static_cast<std::ptrdiff_t>(k) * in_channels + c) * taps + t]
                                   : 0.0f;
        }
      }
    }
  }
  return to;
}

}  // namespace concertina::kernels
#endif
