#include "kernels/testing/targets.h"

#include <algorithm>
#include <cstdlib>

#include "hwy/highway.h"
#include "kernels/bf16_conv.h"
#include "kernels/int8_conv.h"

namespace concertina::kernels {

std::vector<std::string> target_names() {
  std::vector<std::string> names;
  for (const auto target : hwy::SupportedAndGeneratedTargets()) names.emplace_back(hwy::TargetName(target));
  return names;
}

bool limit_target(std::string_view name) {
  hwy::SetSupportedTargetsForTest(0);
  if (name.empty()) return true;
  const auto targets = hwy::SupportedAndGeneratedTargets();
  const auto named = std::find_if(targets.begin(), targets.end(),
                                  [&](auto target) { return hwy::TargetName(target) == name; });
  if (named == targets.end()) return false;
  hwy::SetSupportedTargetsForTest(*named);
  return true;
}

bool limit_bf16_unit(std::string_view name) {
  hwy::SetSupportedTargetsForTest(0);
  const auto is_best = [&] { return !bf16_units().empty() && bf16_units().front() == name; };
  if (name.empty() || is_best()) return true;
  hwy::SetSupportedTargetsForTest(hwy::SupportedTargets() & ~HWY_AVX3_DL);  // see amx_unit()
  if (is_best()) return true;
  hwy::SetSupportedTargetsForTest(0);
  return false;
}

bool limit_int8_unit(std::string_view name) {
  static const char* const given = std::getenv("CONCERTINA_WITHOUT");
  static const std::string masked = given == nullptr ? "" : given;
  setenv("CONCERTINA_WITHOUT", masked.c_str(), 1);
  if (name.empty()) return true;
  std::string better = masked + ",";
  for (const std::string& unit : int8_units()) {
    if (unit == name) {
      setenv("CONCERTINA_WITHOUT", better.c_str(), 1);
      return true;
    }
    better += unit + ",";
  }
  return false;
}

}  // namespace concertina::kernels
