#include "report/run_results.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/try.h"

namespace concertina::report {

std::string to_json(const std::vector<MeasuredSubnet>& subnets) {
  nlohmann::json list = nlohmann::json::array();
  for (const MeasuredSubnet& one : subnets) {
    list.push_back({{"widths", to_string(one.subnet)},
                    {"parameters", static_cast<std::int64_t>(one.parameters)},
                    {"macs", static_cast<std::int64_t>(one.macs)},
                    {"validation_accuracy", one.validation_accuracy},
                    {"test_accuracy", one.accuracy}});
  }
  return list.dump(1) + "\n";
}

Result<std::vector<MeasuredSubnet>> read_results(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string text, read_file(path));
  const Error damaged{fmt::format("'{}' is damaged; delete its folder to make it again", path.string())};
  std::vector<MeasuredSubnet> subnets;
  try {
    for (const auto& entry : nlohmann::json::parse(text)) {
      auto subnet = parse_subnet(entry.at("widths").get<std::string>());
      if (!subnet) return damaged;
      subnets.push_back({.subnet = *std::move(subnet),
                         .macs = entry.at("macs"),
                         .parameters = entry.at("parameters"),
                         .accuracy = entry.at("test_accuracy"),
                         .validation_accuracy = entry.at("validation_accuracy")});
    }
  } catch (const nlohmann::json::exception&) {
    return damaged;
  }
  return subnets;
}

std::string to_json(const std::vector<RankerQuality>& qualities) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const RankerQuality& one : qualities) {
    list.push_back({{"ranker", one.ranker},
                    {"channels", one.channels},
                    {"groups", one.groups},
                    {"by_dimension", one.by_dimension},
                    {"macs", one.macs}});
  }
  return list.dump(1) + "\n";
}

}  // namespace concertina::report
