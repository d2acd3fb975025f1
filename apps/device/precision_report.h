#pragma once

#include <string>

#include "device/precision_search.h"

namespace concertina::apps {

/// Prints what a search has found whose table is now in `out`.
void print_precisions(const onnx::ModelFile& file, const quantization::LayerPrecisions& layers,
                      const SearchedPrecisions& found, const std::string& measure, const std::string& out,
                      bool as_json);

}  // namespace concertina::apps
