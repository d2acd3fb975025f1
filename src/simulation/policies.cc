#include "simulation/policies.h"

#include <fmt/format.h>

#include "base/text.h"
#include "control/controller.h"
#include "simulation/baselines.h"

namespace concertina::simulation {
namespace {

constexpr std::string_view kFixed = "fixed:";

Result<std::unique_ptr<control::Policy>> make_fixed(std::string_view number,
                                                    const std::vector<control::SubnetProfile>& sizes) {
  const int subnet = parse_number<int>(number).value_or(-1);
  if (subnet < 0 || static_cast<std::size_t>(subnet) >= sizes.size()) {
    return Error{fmt::format("there is no sub-net '{}' for a fixed policy; the model has 0 to {}", number,
                             sizes.size() - 1)};
  }
  return std::unique_ptr<control::Policy>(std::make_unique<FixedPolicy>(sizes, subnet));
}

template <typename T>
std::unique_ptr<control::Policy> made(const std::vector<control::SubnetProfile>& sizes) {
  return std::make_unique<T>(sizes);
}

struct Maker {
  std::string_view name;
  std::unique_ptr<control::Policy> (*make)(const std::vector<control::SubnetProfile>& sizes);
};

constexpr Maker kMakers[] = {{"concertina", made<control::Controller>},
                             {"alert", made<AlertPolicy>},
                             {"slackfit", made<SlackFitPolicy>},
                             {"hysteresis", made<HysteresisPolicy>}};

}  // namespace

std::vector<std::string> policy_names(std::size_t sizes) {
  std::vector<std::string> names;
  for (const Maker& maker : kMakers) names.emplace_back(maker.name);
  for (std::size_t i = 0; i < sizes; ++i) names.push_back(fmt::format("{}{}", kFixed, i));
  return names;
}

Result<std::unique_ptr<control::Policy>> make_policy(std::string_view name,
                                                     const std::vector<control::SubnetProfile>& sizes) {
  for (const Maker& maker : kMakers)
    if (maker.name == name) return maker.make(sizes);
  if (name.starts_with(kFixed)) return make_fixed(name.substr(kFixed.size()), sizes);
  return Error{fmt::format("there is no policy '{}'; did you mean {}?", name,
                           nearest_name(name, policy_names(sizes.size())))};
}

}  // namespace concertina::simulation
