#pragma once

#include "onnx/model_file.h"

namespace concertina::bench {

/// Gives every sub-net scales for int8, which hold all values of a few images of fill(). A model that was
/// calibrated keeps its own. Fails if the runtime cannot run the model.
Status add_scales(onnx::ModelFile& file);

}  // namespace concertina::bench
