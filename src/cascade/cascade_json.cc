#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "base/try.h"
#include "cascade/cascade.h"

namespace concertina::cascade {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr double kLargestWeight = 1e3;  // of a blend, either sign; softmax of more is a step
constexpr double kLongest = 1e9;        // milliseconds

std::optional<double> number_at(const Json& object, const char* key, double least, double most) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_number()) return std::nullopt;
  const auto value = object[key].get<double>();
  if (!(value >= least && value <= most)) return std::nullopt;
  return value;
}

std::optional<int> index_at(const Json& object, const char* key, int most) {
  const auto value = number_at(object, key, 0, most);
  if (!value || *value != std::floor(*value)) return std::nullopt;
  return static_cast<int>(*value);
}

std::string text_at(const Json& root, const char* key) {
  return root.contains(key) && root[key].is_string() ? root[key].get<std::string>() : std::string();
}

std::optional<CascadeStage> read_stage(const Json& json) {
  const auto subnet = index_at(json, "subnet", 1'000'000);
  const auto own = number_at(json, "own", -kLargestWeight, kLargestWeight);
  const auto before = number_at(json, "before", -kLargestWeight, kLargestWeight);
  const auto threshold = number_at(json, "threshold", 0, 1);
  if (!subnet || !own || !before || !threshold || !json.contains("mirrored") ||
      !json["mirrored"].is_boolean()) {
    return std::nullopt;
  }
  return CascadeStage{.look = {.subnet = *subnet, .mirrored = json["mirrored"].get<bool>()},
                      .blend = {.own = *own, .before = *before},
                      .threshold = *threshold};
}

std::optional<CascadePromise> read_promise(const Json& json) {
  const auto images = index_at(json, "images", 2'000'000'000),
             reference = index_at(json, "reference", 1'000'000);
  const auto accuracy = number_at(json, "accuracy", 0, 1),
             reference_accuracy = number_at(json, "reference_accuracy", 0, 1);
  const auto ms = number_at(json, "milliseconds", 0, kLongest),
             reference_ms = number_at(json, "reference_milliseconds", 0, kLongest);
  if (!images || !reference || !accuracy || !reference_accuracy || !ms || !reference_ms) return std::nullopt;
  return CascadePromise{.images = *images,
                        .reference = *reference,
                        .accuracy = *accuracy,
                        .reference_accuracy = *reference_accuracy,
                        .ms = *ms,
                        .reference_ms = *reference_ms};
}

/// Stages are few and get dearer.
Status check_order(const std::vector<CascadeStage>& stages) {
  for (std::size_t i = 1; i < stages.size(); ++i) {
    const bool again = std::any_of(stages.begin(), stages.begin() + static_cast<std::ptrdiff_t>(i),
                                   [&](const CascadeStage& other) { return other.look == stages[i].look; });
    if (again || stages[i].look.subnet > stages[i - 1].look.subnet) {
      return Error{fmt::format(
          "stage {} of the cascade repeats a look, or has a smaller sub-net than the one before", i)};
    }
  }
  return {};
}

}  // namespace

Result<Cascade> Cascade::parse(std::string_view text) {
  const Json root = Json::parse(text, nullptr, false);
  if (!root.is_object() || !root.contains("concertina_cascade") || !root.contains("stages") ||
      !root["stages"].is_array() || root["stages"].empty() || !root.contains("promise")) {
    return Error{"it is not a cascade; make one with concertina cascade"};
  }
  if (root["concertina_cascade"] != kFormat)
    return Error{"the cascade has a format that this version does not read"};
  Cascade cascade{
      .model = text_at(root, "model"), .precision = text_at(root, "precision"), .stages = {}, .promise = {}};
  const std::string measure = text_at(root, "confidence");
  const auto found = std::find(kConfidenceMeasures.begin(), kConfidenceMeasures.end(), measure);
  if (found == kConfidenceMeasures.end())
    return Error{"its confidence is none of probability, margin and entropy"};
  cascade.measure = static_cast<ConfidenceMeasure>(found - kConfidenceMeasures.begin());
  for (const Json& json : root["stages"]) {
    const auto stage = read_stage(json);
    if (!stage) {
      return Error{
          fmt::format("stage {} of the cascade lacks a sub-net, its weights or a threshold of 0 .. 1",
                      cascade.stages.size())};
    }
    cascade.stages.push_back(*stage);
  }
  RETURN_IF_ERROR(check_order(cascade.stages));
  const auto promise = read_promise(root["promise"]);
  if (!promise) return Error{"the cascade's promise lacks images, accuracies of 0 .. 1 or milliseconds"};
  cascade.promise = *promise;
  return cascade;
}

Result<Cascade> Cascade::read(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string text, read_file(path));
  auto cascade = parse(text);
  if (!cascade) return Error{fmt::format("'{}': {}", path.string(), cascade.error().message)};
  return cascade;
}

std::string Cascade::to_json() const {
  Json root = {{"concertina_cascade", kFormat},
               {"model", model},
               {"precision", precision},
               {"confidence", name_of(measure)},
               {"stages", Json::array()},
               {"promise",
                {{"images", promise.images},
                 {"reference", promise.reference},
                 {"accuracy", promise.accuracy},
                 {"reference_accuracy", promise.reference_accuracy},
                 {"milliseconds", promise.ms},
                 {"reference_milliseconds", promise.reference_ms}}}};
  for (const CascadeStage& stage : stages) {
    root["stages"].push_back({{"subnet", stage.look.subnet},
                              {"mirrored", stage.look.mirrored},
                              {"own", stage.blend.own},
                              {"before", stage.blend.before},
                              {"threshold", stage.threshold}});
  }
  return root.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace concertina::cascade
