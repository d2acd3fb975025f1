#pragma once

#include <string>
#include <vector>

#include "cascade/choose.h"
#include "cascade/labelled_logits.h"
#include "device/cascade_measure.h"

namespace concertina::apps {

/// What is known of one sub-net's confidence. Temperatures are fitted on one half of the images and judged on
/// the other.
struct Calibration {
  double temperature = 1, error_before = 0, error_after = 0;
  std::vector<double> separations;  ///< by measure
};

/// Of every sub-net that sees images as they are. Precondition: at least two images.
std::vector<Calibration> calibrations_of(const cascade::LabelledLogits& data);

/// Prints how a cascade was chosen that is now in `file`.
void print_choice(const cascade::CascadeChoice& choice, const std::vector<Calibration>& calibrations,
                  const std::string& file, bool as_json);

/// Prints what a cascade did on `images`, "test images" for instance.
void print_measured(const MeasuredCascade& measured, const cascade::Cascade& cascade,
                    const CascadeMeasureOptions& options, const std::string& images, bool as_json);

}  // namespace concertina::apps
