#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/progress.h"
#include "concertina/model.h"
#include "latency/latency_table.h"
#include "runtime/model_impl.h"

namespace concertina::profile {

/// What is measured, and how much of it. Every batch with every number of threads is a case.
struct MeasureOptions {
  std::vector<int> batches = {1};
  std::vector<int> threads = {1};
  double seconds = 30;      ///< for all cases together, each has the same share
  int least_runs = 5;       ///< of each sub-net in each case, even if the time is up
  int most_runs = 100'000;  ///< the same, even if time is left
};

/// Random inputs: of zeros, a processor would take less power and run faster.
std::vector<float> some_inputs(const Model& model, int batch);

/// Times every sub-net in every case: a table without layers, of this machine. The sub-nets take turns run by
/// run, in a new random order each round, and the cases take turns too, so that whatever else the machine
/// does hits all alike. A first run of each is not counted. Fails if a batch or number of threads is out of
/// a session's range, named twice, or memory is short. Precondition: least_runs >= 1, most_runs >=
/// least_runs.
Result<latency::LatencyTable> measure_subnets(std::shared_ptr<const Model> model,
                                              const MeasureOptions& options, const Clock& clock,
                                              Progress& progress);

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
