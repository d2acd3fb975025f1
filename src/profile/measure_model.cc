#include "profile/measure_model.h"

#include "base/try.h"
#include "profile/measure_layers.h"
#include "profile/measure_subnets.h"
#include "profile/this_machine.h"

namespace concertina::profile {
namespace {

/// Of the time for everything; a network without sub-nets has little to measure but layers.
double share_of_layers(const onnx::ModelFile& model, const ProfileOptions& options) {
  if (!options.layers) return 0;
  return model.subnets.size() > 1 ? 0.55 : 0.85;
}

}  // namespace

Result<latency::LatencyTable> measure_model(onnx::ModelFile model, const ProfileOptions& options,
                                            const Clock& clock, Progress& progress) {
  if (options.batches.empty() || options.threads.empty())
    return Error{"there is nothing to measure; name at least one batch and one number of threads"};
  const double layers = options.seconds * share_of_layers(model, options);
  ASSIGN_OR_RETURN(std::shared_ptr<const Model> loaded, runtime::make_model(model, options.loading));
  ASSIGN_OR_RETURN(latency::LatencyTable table, measure_subnets(std::move(loaded),
                                                                {.batches = options.batches,
                                                                 .threads = options.threads,
                                                                 .seconds = options.seconds - layers},
                                                                clock, progress));
  if (!options.layers) return table;
  RETURN_IF_ERROR(measure_layers(std::move(model.network),
                                 {.loading = options.loading,
                                  .machine = this_roofline(options.threads.front()),
                                  .batch = options.batches.front(),
                                  .threads = options.threads.front(),
                                  .seconds = layers},
                                 clock, progress, table));
  return table;
}

}  // namespace concertina::profile
