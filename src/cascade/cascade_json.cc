#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/reader.h"
#include "base/try.h"
#include "cascade/cascade.h"
#include "concertina/precision.h"

namespace concertina::cascade {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr Range kSubnet{0, 1e6};

CascadeStage read_stage(const Reader& stage) {
  constexpr Range kWeight{-1e3, 1e3};  // softmax of more is a step
  return {.look = {.subnet = stage["subnet"].whole(kSubnet), .mirrored = stage["mirrored"].boolean()},
          .blend = {.own = stage["own"].number(kWeight), .before = stage["before"].number(kWeight)},
          .threshold = stage["threshold"].number({0, 1})};
}

CascadePromise read_promise(const Reader& promise) {
  constexpr Range kMilliseconds{0, 1e9};
  return {.images = promise["images"].whole({0, 2e9}),
          .reference = promise["reference"].whole(kSubnet),
          .accuracy = promise["accuracy"].number({0, 1}),
          .reference_accuracy = promise["reference_accuracy"].number({0, 1}),
          .ms = promise["milliseconds"].number(kMilliseconds),
          .reference_ms = promise["reference_milliseconds"].number(kMilliseconds)};
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
  const Reader root = Reader::of_json(text);
  root.check_format("concertina_cascade", kFormat, "cascade", "concertina cascade");
  Cascade cascade{.model = root["model"].text_or(""),
                  .precision = root["precision"].one_of<Precision>(kPrecisions),
                  .measure = root["confidence"].one_of<ConfidenceMeasure>(kConfidenceMeasures),
                  .stages = {},
                  .promise = read_promise(root["promise"])};
  for (const Reader& stage : root["stages"].entries(1)) cascade.stages.push_back(read_stage(stage));
  RETURN_IF_ERROR(root.status());
  RETURN_IF_ERROR(check_order(cascade.stages));
  return cascade;
}

Result<Cascade> Cascade::read(const std::filesystem::path& path) {
  return read_as(path, parse);
}

std::string Cascade::to_json() const {
  Json root = {{"concertina_cascade", kFormat},
               {"model", model},
               {"precision", name_of(precision)},
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
