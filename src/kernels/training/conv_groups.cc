#include "kernels/training/conv_groups.h"

namespace concertina::kernels {

GroupedConv::GroupedConv(const TrainingConv& of)
    : conv(of), depthwise(of.groups > 1 && of.in_channels == 1 && of.out_channels == 1) {
  if (!depthwise) return;
  conv.in_channels = conv.out_channels = of.groups;
  conv.groups = 1;
  conv.unit = &training_fp32_unit();
}

SweepSource GroupedConv::input(const void* x, int group) const {
  return {x,
          conv.element,
          conv.window.in_h,
          conv.window.in_w,
          std::ptrdiff_t{conv.groups} * conv.in_channels,
          std::ptrdiff_t{group} * conv.in_channels,
          conv.in_channels};
}

SweepSource GroupedConv::output(const void* dy, int group) const {
  return {dy,
          conv.element,
          conv.window.out_h,
          conv.window.out_w,
          std::ptrdiff_t{conv.groups} * conv.out_channels,
          std::ptrdiff_t{group} * conv.out_channels,
          conv.out_channels};
}

SweepFilter GroupedConv::filter(const FilterPart<const float>& part, int group) const {
  return {part.values + std::ptrdiff_t{group} * conv.out_channels * part.output,
          part.output,
          depthwise ? 0 : part.input,
          part.tap,
          conv.out_channels,
          depthwise ? 1 : conv.in_channels,
          depthwise};
}

}  // namespace concertina::kernels
