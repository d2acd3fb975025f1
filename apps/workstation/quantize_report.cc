#include "workstation/quantize_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/table.h"

namespace concertina::apps {
namespace {

using quantization::CalibratedTensor;
using quantization::CalibratedTensors;

/// For people only.
Table::Cell interval(const Interval& values) {
  return words(fmt::format("{:.4g} to {:.4g}", values.low, values.high));
}

/// Most shares are far below a hundredth of a percent.
Table::Cell small_percent(double share) {
  return {fmt::format("{:.4f} %", 100 * share), share};
}

/// JSON has no infinity: it is null there.
Table::Cell decibels(double value) {
  return {std::isfinite(value) ? fmt::format("{:.1f}", value) : "exact", value};
}

Table tensor_table(const CalibratedTensors& tensors) {
  Table table({{"tensor", "tensor"},
               {"values", ""},
               {"held", ""},
               {"scale", "scale"},
               {"zero point", "zero_point"},
               {"clipped", "clipped"},
               {"SNR, dB", "signal_to_noise"},
               {"", "least"},
               {"", "greatest"},
               {"", "from"},
               {"", "to"}});
  for (const auto& [name, ends, range, how, rounding] : tensors) {
    table.add({words(name),
               interval(ends),
               interval(range),
               {fmt::format("{:.4g}", how.scale), how.scale},
               whole(how.zero_point),
               small_percent(rounding.clipped),
               decibels(rounding.signal_to_noise),
               unseen(ends.low),
               unseen(ends.high),
               unseen(range.low),
               unseen(range.high)});
  }
  return table;
}

const CalibratedTensor& worst_of(const CalibratedTensors& tensors) {
  return *std::min_element(tensors.begin(), tensors.end(),
                           [](const CalibratedTensor& a, const CalibratedTensor& b) {
                             return a.rounding.signal_to_noise < b.rounding.signal_to_noise;
                           });
}

Table subnet_table(const onnx::ModelFile& file, const Calibrated& calibrated) {
  std::vector<Table::Column> columns = {{"sub-net", "subnet"},  {"widths", "widths"},
                                        {"tensors", ""},        {"worst SNR, dB", "worst_signal_to_noise"},
                                        {"of", "worst_tensor"}, {"", "tensors"}};
  if (!calibrated.accuracies.empty()) {
    columns.push_back({fmt::format("{} in fp32", calibrated.measure), "fp32_accuracy"});
    columns.push_back({"in int8", "int8_accuracy"});
    columns.push_back({"lost, points", ""});
  }
  Table table(std::move(columns));
  for (std::size_t i = 0; i < calibrated.subnets.size(); ++i) {
    const CalibratedTensors& tensors = calibrated.subnets[i];
    const CalibratedTensor& worst = worst_of(tensors);
    std::vector<Table::Cell> row = {whole(static_cast<std::int64_t>(i)),
                                    words(to_string(file.subnets[i].subnet)),
                                    whole(static_cast<std::int64_t>(tensors.size())),
                                    decibels(worst.rounding.signal_to_noise),
                                    words(worst.name),
                                    unseen(tensor_table(tensors).json())};
    if (!calibrated.accuracies.empty()) {
      const auto [fp32, int8] = calibrated.accuracies[i];
      row.push_back({fmt::format("{:.2f} %", 100 * fp32), fp32});
      row.push_back({fmt::format("{:.2f} %", 100 * int8), int8});
      row.push_back(words(fmt::format("{:.2f}", 100 * (fp32 - int8))));
    }
    table.add(std::move(row));
  }
  return table;
}

}  // namespace

std::string to_text(const onnx::ModelFile& file, const Calibrated& calibrated) {
  return fmt::format("Tensors of sub-net 0, from {} images:\n\n{}\nSub-nets:\n\n{}", calibrated.images,
                     tensor_table(calibrated.subnets[0]).text(), subnet_table(file, calibrated).text());
}

nlohmann::json to_json(const onnx::ModelFile& file, const Calibrated& calibrated) {
  return {{"images", calibrated.images}, {"subnets", subnet_table(file, calibrated).json()}};
}

}  // namespace concertina::apps
