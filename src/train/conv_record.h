#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "concertina/precision.h"
#include "concertina/result.h"
#include "recipe/recipe.h"
#include "train/supernet/conv_kind.h"
#include "train/supernet/conv_times.h"

namespace concertina::train {

/// Whose a kind of convolution is.
struct ConvVerdict {
  bool libtorch = false;
  std::optional<KindTimes> times = {};  ///< if they were measured
};

/// By name of the kind.
using ConvVerdicts = std::map<std::string, ConvVerdict>;

/// Whose the convolutions of a run are: convolutions.json in its folder.
struct ConvRecord {
  recipe::Convolutions wanted = recipe::Convolutions::own;
  Precision precision = Precision::fp32;
  int batch = 1;  ///< images of a training step, of all processes
  ConvVerdicts kinds = {};

  ConvChoice choice() const;
};

std::string to_json(const ConvRecord& record);
Result<ConvRecord> parse_conv_record(std::string_view text);

/// What was measured on a machine, kept for other runs.
struct ConvCache {
  std::string machine;  ///< all that the times depend on, besides the kind
  ConvVerdicts kinds = {};
};

std::string to_json(const ConvCache& cache);
Result<ConvCache> parse_conv_cache(std::string_view text);

}  // namespace concertina::train
