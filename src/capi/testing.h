#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "cascade/cascade.h"
#include "concertina/concertina.h"
#include "testing/models.h"
#include "testing/temporary_folder.h"

/// What the tests of the C API share.
namespace concertina::testing {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Free {
  void operator()(concertina_model* model) const { concertina_model_free(model); }
  void operator()(concertina_session* session) const { concertina_session_free(session); }
  void operator()(concertina_adaptive* adaptive) const { concertina_adaptive_free(adaptive); }
  void operator()(concertina_cascade* cascade) const { concertina_cascade_free(cascade); }
  void operator()(concertina_rules* rules) const { concertina_rules_free(rules); }
  void operator()(concertina_scheduler* scheduler) const { concertina_scheduler_free(scheduler); }
};
template <typename Handle>
using Owned = std::unique_ptr<Handle, Free>;

/// Ours with its size set; Struct{.field = ...} is no aggregate that C++ and C spell alike.
template <typename Struct>
Struct sized() {
  Struct value{};
  value.struct_size = sizeof value;
  return value;
}

/// The file of a small classifier with four sub-nets.
inline const std::string& model_bytes() {
  static const std::string bytes = [] {
    const Graph graph = testing::branches();
    return *onnx::serialize_model(testing::model_file(graph, testing::nested_subnets(graph, 4)));
  }();
  return bytes;
}

/// That classifier, through both APIs.
inline Owned<concertina_model> open_model() {
  concertina_model* model = nullptr;
  concertina_error error;
  EXPECT_EQ(concertina_model_parse(model_bytes().data(), model_bytes().size(), nullptr, &model, &error),
            CONCERTINA_OK)
      << error.message;
  return Owned<concertina_model>(model);
}
inline std::shared_ptr<const Model> cpp_model() {
  return Model::parse(model_bytes()).value();
}

/// A file of how long that classifier's sub-nets ran on some other machine: 0.4 ms, 0.2 ms, 0.1 ms, 0.05 ms.
inline std::string write_latency_table(const testing::TestFolder& folder, int threads = 1) {
  std::string subnets;
  double ms = 0.4;
  const auto model = cpp_model();
  for (const SubnetInfo& info : model->subnets()) {
    subnets +=
        fmt::format(R"({}{{"widths": "{}", "batch": 1, "threads": {}, "runs": 100, "milliseconds": [{}]}})",
                    subnets.empty() ? "" : ", ", to_string(info.subnet), threads,
                    fmt::join(std::vector<double>(8, ms), ", "));
    ms /= 2;
  }
  return folder.write(
      "net.latency.json",
      fmt::format(R"({{"concertina_latency": 1, "machine": "another one", "subnets": [{}]}})", subnets));
}

/// A file of a plan for it on that machine, which allows the second sub-net at most.
inline std::string write_plan(const testing::TestFolder& folder) {
  std::string subnets;
  const auto model = cpp_model();
  for (const SubnetInfo& info : model->subnets()) {
    subnets += fmt::format(R"({}{{"widths": "{}", "accuracy": {}}})", subnets.empty() ? "" : ", ",
                           to_string(info.subnet), info.validation_accuracy);
  }
  return folder.write(
      "net.plan.json",
      fmt::format(R"({{"concertina_plan": 1, "machine": {{"cpu": "another one", "instruction_set": "?"}},
                       "precision": "fp32", "subnets": [{}],
                       "designs": [{{"subnet": 1, "threads": 3, "batch": 1}}],
                       "rules": [{{"name": "always", "design": 0, "min_accuracy": 0, "feasible": true}}]}})",
                  subnets));
}

/// A file of a cascade of that classifier: the smallest sub-net, and the largest where it is not sure. It is
/// sure if the threshold is 0, and never if it is 1.
inline std::string write_cascade(const testing::TestFolder& folder, double threshold) {
  const cascade::Cascade cascade{.model = cascade::fingerprint(*cpp_model()),
                                 .stages = {{.look = {.subnet = 3}, .blend = {}, .threshold = threshold},
                                            {.look = {.subnet = 0}, .blend = {}}},
                                 .promise = {}};
  return folder.write("net.cascade.json", cascade.to_json());
}

}  // namespace concertina::testing
