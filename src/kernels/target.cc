#include "kernels/target.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/target.cc"
#include "hwy/foreach_target.h"  // must come before highway.h
#include "hwy/highway.h"
#include "kernels/window.h"

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
namespace {

HWY_EXPORT(lanes);
HWY_EXPORT(name);

}  // namespace

int vector_lanes() {
  return HWY_DYNAMIC_DISPATCH(lanes)();
}

// A group's channels may start anywhere, and its last panel reads two whole vectors.
int epilogue_size(int channels) {
  return round_up(channels, vector_lanes()) + 2 * vector_lanes();
}

const char* target_name() {
  return HWY_DYNAMIC_DISPATCH(name)();
}

std::vector<std::string> target_names() {
  std::vector<std::string> names;
  for (const auto target : hwy::SupportedAndGeneratedTargets()) names.emplace_back(hwy::TargetName(target));
  return names;
}

Status limit_target(std::string_view name) {
  hwy::SetSupportedTargetsForTest(0);
  if (name.empty()) return {};
  for (const auto target : hwy::SupportedAndGeneratedTargets()) {
    if (hwy::TargetName(target) != name) continue;
    hwy::SetSupportedTargetsForTest(target);
    return {};
  }
  return Error{fmt::format("this machine cannot run the kernels of '{}'; it has {}", name,
                           fmt::join(target_names(), ", "))};
}

}  // namespace concertina::kernels
#endif
