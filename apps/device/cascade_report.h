#pragma once

#include <string>
#include <vector>

#include "cascade/choose.h"
#include "device/cascade_measure.h"
#include "device/confidence_report.h"

namespace concertina::apps {

/// Prints how a cascade was chosen that is now in `file`.
void print_choice(const cascade::CascadeChoice& choice, const std::vector<Calibration>& calibrations,
                  const std::string& file, bool as_json);

/// Prints what a cascade did.
void print_measured(const MeasuredCascade& measured, const cascade::Cascade& cascade,
                    const CascadeMeasureOptions& options, bool as_json);

}  // namespace concertina::apps
