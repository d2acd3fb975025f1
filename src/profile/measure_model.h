#pragma once

#include <vector>

#include "base/clock.h"
#include "base/progress.h"
#include "latency/latency_table.h"
#include "runtime/model_impl.h"

namespace concertina::profile {

struct ProfileOptions {
  ModelOptions loading = {};
  std::vector<int> batches = {1};  ///< each with each of threads; layers are measured with the first of both
  std::vector<int> threads = {1};
  double seconds = 45;  ///< for all that is measured; what is slow may take longer
  bool layers = true;
};

/// The latency table of this machine: each sub-net of the model with each batch on each number of threads,
/// and its layers. Fails if an option is out of range or empty, or the model cannot be run. Precondition:
/// check_model() accepts the model, but for its classes.
Result<latency::LatencyTable> measure_model(onnx::ModelFile model, const ProfileOptions& options,
                                            const Clock& clock, Progress& progress);

}  // namespace concertina::profile
