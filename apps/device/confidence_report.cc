#include "device/confidence_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>

#include "cascade/chain_stage.h"
#include "cascade/separation.h"
#include "common/table.h"

namespace concertina::apps {
namespace {

using cascade::ConfidenceMeasure;
using cascade::LabelledLogits;

Calibration calibration_of(const cascade::LabelledLogits& data,
                           const cascade::LabelledLogits::Column& column) {
  std::vector<int> half(static_cast<std::size_t>(data.images()) / 2);
  std::iota(half.begin(), half.end(), 0);
  const cascade::Blend blend = cascade::fit_blend(column.logits, {}, data.labels, half);
  Calibration result{.temperature = 1 / blend.own, .separations = {}};
  const auto judge = [&](const cascade::Blend& by, cascade::ConfidenceMeasure measure, auto summary) {
    const cascade::ChainStage stage = cascade::run_stage(data, column, {}, by, measure);
    return summary(std::span(stage.confidence).subspan(half.size()),
                   std::span(stage.correct).subspan(half.size()));
  };
  const auto error = [](auto confidence, auto correct) {
    return cascade::expected_calibration_error(confidence, correct);
  };
  result.error_before = judge({}, cascade::ConfidenceMeasure::probability, error);
  result.error_after = judge(blend, cascade::ConfidenceMeasure::probability, error);
  for (std::size_t i = 0; i < cascade::kConfidenceMeasures.size(); ++i) {
    result.separations.push_back(
        judge(blend, static_cast<cascade::ConfidenceMeasure>(i), cascade::separation));
  }
  return result;
}

}  // namespace

std::vector<Calibration> calibrations_of(const cascade::LabelledLogits& data) {
  std::vector<Calibration> calibrations;
  for (const cascade::LabelledLogits::Column& column : data.columns) {
    if (!column.look.mirrored) calibrations.push_back(calibration_of(data, column));
  }
  return calibrations;
}

std::string calibration_table(const std::vector<Calibration>& calibrations) {
  std::vector<std::vector<std::string>> rows = {{"sub-net", "temperature", "calibration error", "after",
                                                 "separation by probability", "margin", "entropy"}};
  for (std::size_t i = 0; i < calibrations.size(); ++i) {
    const Calibration& one = calibrations[i];
    rows.push_back({std::to_string(i), fmt::format("{:.3f}", one.temperature),
                    fmt::format("{:.4f}", one.error_before), fmt::format("{:.4f}", one.error_after)});
    for (const double separation : one.separations) rows.back().push_back(fmt::format("{:.4f}", separation));
  }
  return format_table(rows);
}

nlohmann::json calibration_json(const std::vector<Calibration>& calibrations) {
  nlohmann::json list = nlohmann::json::array();
  for (const Calibration& one : calibrations) {
    list.push_back({{"temperature", one.temperature},
                    {"calibration_error", one.error_before},
                    {"calibration_error_after", one.error_after},
                    {"separation", one.separations}});
  }
  return list;
}

}  // namespace concertina::apps
