#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cascade/labelled_logits.h"

namespace concertina::apps {

/// What is known of one sub-net's confidence. Temperatures are fitted on one half of the images and judged on
/// the other.
struct Calibration {
  double temperature = 1, error_before = 0, error_after = 0;
  std::vector<double> separations;  ///< by measure
};

/// Of every sub-net that sees images as they are. Precondition: at least two images.
std::vector<Calibration> calibrations_of(const cascade::LabelledLogits& data);

std::string calibration_table(const std::vector<Calibration>& calibrations);
nlohmann::json calibration_json(const std::vector<Calibration>& calibrations);

}  // namespace concertina::apps
