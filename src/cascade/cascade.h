#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "cascade/calibration.h"
#include "cascade/confidence.h"
#include "cascade/labelled_logits.h"
#include "concertina/model.h"

namespace concertina::cascade {

/// One look of a cascade.
struct CascadeStage {
  Look look;
  Blend blend;           ///< 1 / blend.own is the first stage's temperature
  double threshold = 0;  ///< an image stops here if its confidence is at least this

  friend bool operator==(const CascadeStage&, const CascadeStage&) = default;
};

/// What a cascade did on the validation images that it was chosen on; where those were split, on the parts
/// that it had not seen.
struct CascadePromise {
  int images = 0;
  int reference = 0;  ///< the sub-net that it is compared with
  double accuracy = 0, reference_accuracy = 0;
  double ms = 0, reference_ms = 0;  ///< mean time of an image

  friend bool operator==(const CascadePromise&, const CascadePromise&) = default;
};

/// Input-dependent inference: a chain of looks at an image, from cheap to dear, that stops at the first
/// answer it may trust. As a file, <model>.cascade.json:
///
///   {"concertina_cascade": 1, "model": "0123456789abcdef", "precision": "fp32", "confidence": "margin",
///    "stages": [{"subnet": 7, "mirrored": false, "own": 0.98, "before": 0, "threshold": 0.71}, ...],
///    "promise": {"images": 5000, "reference": 0, "accuracy": 0.82, "reference_accuracy": 0.82,
///    "milliseconds": 0.2, "reference_milliseconds": 0.38}}
struct Cascade {
  std::string model;  ///< fingerprint() of the model that it was chosen for
  Precision precision = Precision::fp32;
  ConfidenceMeasure measure = ConfidenceMeasure::probability;
  std::vector<CascadeStage> stages;  ///< at least one, none twice, no sub-net larger than a later one
  CascadePromise promise;

  /// The bytes are not trusted.
  static Result<Cascade> parse(std::string_view text);
  /// The same with a file; errors name it.
  static Result<Cascade> read(const std::filesystem::path& path);
  std::string to_json() const;

  /// Fails, saying why, unless the cascade was chosen for this model in this precision.
  Status check(const Model& model) const;

  friend bool operator==(const Cascade&, const Cascade&) = default;
};

/// 16 hexadecimal digits that tell trained models apart: a hash of each sub-net's widths, costs and
/// accuracies, the classes and what is done to pixels.
std::string fingerprint(const Model& model);

}  // namespace concertina::cascade
