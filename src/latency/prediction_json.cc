#include <cmath>

#include "base/try.h"
#include "latency/parts_from_json.h"
#include "latency/table_to_json.h"

namespace concertina::latency {
namespace {

constexpr double kLargest = 1e9;

std::optional<double> number_in(const Json& object, const char* key, double least, double most) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_number()) return std::nullopt;
  const auto value = object[key].get<double>();
  return value >= least && value <= most ? std::optional(value) : std::nullopt;
}

std::optional<PredictionError> read_error(const Json& prediction, const char* key) {
  const Json& error = member(prediction, key);
  const auto median = number_in(error, "median_error", 0, kLargest);
  const auto worst = number_in(error, "worst_error", 0, kLargest);
  const auto rank = number_in(error, "rank_correlation", -1, 1);
  if (!median || !worst || !rank) return std::nullopt;
  return PredictionError{*median, *worst, *rank};
}

OrderedJson to_json(const PredictionError& error) {
  return {{"median_error", error.median},
          {"worst_error", error.worst},
          {"rank_correlation", error.rank_correlation}};
}

}  // namespace

Status read_prediction(const Json& root, LatencyTable& table) {
  if (!root.contains("prediction")) return {};
  const Json& prediction = root["prediction"];
  if (!prediction.is_object()) return Error{"its prediction is not an object"};
  const auto subnets = count_at(prediction, "subnets");
  const auto noise = number_in(prediction, "noise", 0, kLargest);
  const auto sums = read_error(prediction, "layer_sums"), roofline = read_error(prediction, "roofline"),
             macs = read_error(prediction, "macs");
  const auto gflops = positive_number(member(prediction, "peak_gflops"));
  const auto bytes = positive_number(member(prediction, "gbytes_per_second"));
  if (subnets == 0 || !noise || !sums || !roofline || !macs || !gflops || !bytes)
    return Error{"its prediction lacks a number, or has one that cannot be"};
  table.prediction = {.subnets = static_cast<int>(subnets),
                      .noise = *noise,
                      .layer_sums = *sums,
                      .roofline = *roofline,
                      .macs = *macs,
                      .machine = {*gflops, *bytes}};
  return {};
}

OrderedJson to_json(const PredictionQuality& prediction) {
  return {{"subnets", prediction.subnets},
          {"noise", prediction.noise},
          {"layer_sums", to_json(prediction.layer_sums)},
          {"roofline", to_json(prediction.roofline)},
          {"macs", to_json(prediction.macs)},
          {"peak_gflops", prediction.machine.gflops},
          {"gbytes_per_second", prediction.machine.gbytes_per_second}};
}

}  // namespace concertina::latency
