#include "train/conv_record.h"

#include <nlohmann/json.hpp>

#include "base/reader.h"
#include "base/try.h"
#include "recipe/recipe_fields.h"

namespace concertina::train {
namespace {

constexpr const char* kProgram = "concertina-train run";
constexpr std::string_view kOwners[] = {"own", "libtorch"};

nlohmann::ordered_json kinds_to_json(const ConvVerdicts& kinds) {
  nlohmann::ordered_json all = nlohmann::ordered_json::object();
  for (const auto& [name, verdict] : kinds) {
    nlohmann::ordered_json& entry = all[name] = {{"by", kOwners[verdict.libtorch]}};
    if (!verdict.times) continue;
    const auto& [full, half] = *verdict.times;
    entry["full_ms"] = {{"own", full.own_ms}, {"libtorch", full.libtorch_ms}};
    entry["half_ms"] = {{"own", half.own_ms}, {"libtorch", half.libtorch_ms}};
  }
  return all;
}

ConvTimes read_times(const Reader& times) {
  return {.own_ms = times["own"].number(kPositive), .libtorch_ms = times["libtorch"].number(kPositive)};
}

ConvVerdicts read_kinds(const Reader& kinds) {
  ConvVerdicts verdicts;
  for (const Reader& kind : kinds.members()) {
    ConvVerdict verdict{.libtorch = kind["by"].one_of<bool>(kOwners)};
    if (kind["full_ms"])
      verdict.times = {.full = read_times(kind["full_ms"]), .half = read_times(kind["half_ms"])};
    verdicts[kind.key()] = verdict;
  }
  return verdicts;
}

}  // namespace

ConvChoice ConvRecord::choice() const {
  ConvChoice choice;
  for (const auto& [name, verdict] : kinds) {
    if (verdict.libtorch) choice.libtorch.insert(name);
  }
  return choice;
}

std::string to_json(const ConvRecord& record) {
  const std::string_view wanted =
      recipe::kNames<recipe::Convolutions>[static_cast<std::size_t>(record.wanted)];
  const nlohmann::ordered_json root = {{"concertina_convolutions", 1},
                                       {"convolutions", wanted},
                                       {"precision", name_of(record.precision)},
                                       {"batch", record.batch},
                                       {"kinds", kinds_to_json(record.kinds)}};
  return root.dump(1) + "\n";
}

Result<ConvRecord> parse_conv_record(std::string_view text) {
  const Reader root = Reader::of_json(text);
  root.check_format("concertina_convolutions", 1, "record of a run's convolutions", kProgram);
  ConvRecord record{
      .wanted = root["convolutions"].one_of<recipe::Convolutions>(recipe::kNames<recipe::Convolutions>),
      .precision = root["precision"].one_of<Precision>(kPrecisions),
      .batch = root["batch"].whole({1, 1e6}),
      .kinds = read_kinds(root["kinds"])};
  RETURN_IF_ERROR(root.status());
  return record;
}

std::string to_json(const ConvCache& cache) {
  const nlohmann::ordered_json root = {
      {"concertina_convolution_times", 1}, {"machine", cache.machine}, {"kinds", kinds_to_json(cache.kinds)}};
  return root.dump(1) + "\n";
}

Result<ConvCache> parse_conv_cache(std::string_view text) {
  const Reader root = Reader::of_json(text);
  root.check_format("concertina_convolution_times", 1, "file of convolutions' times", kProgram);
  ConvCache cache{.machine = root["machine"].text(), .kinds = read_kinds(root["kinds"])};
  RETURN_IF_ERROR(root.status());
  return cache;
}

}  // namespace concertina::train
