#include "control/profile/profile.h"

#include "base/try.h"
#include "control/profile/measure.h"
#include "control/profile/measure_layers.h"
#include "control/this_machine.h"

namespace concertina::control {
namespace {

/// Of the time for everything; a network without sub-nets has little to measure but layers.
double share_of_layers(const ModelFile& model, const ProfileOptions& options) {
  if (!options.layers) return 0;
  return model.subnets.size() > 1 ? 0.55 : 0.85;
}

}  // namespace

Result<LatencyTable> profile(ModelFile model, const ProfileOptions& options, const Clock& clock,
                             Progress& progress) {
  if (options.batches.empty() || options.threads.empty())
    return Error{"there is nothing to measure; name at least one batch and one number of threads"};
  const double layers = options.seconds * share_of_layers(model, options);
  CONCERTINA_ASSIGN(std::shared_ptr<const Model> loaded, runtime::make_model(model, options.loading));
  CONCERTINA_ASSIGN(LatencyTable table, measure_subnets(std::move(loaded),
                                                        {.batches = options.batches,
                                                         .threads = options.threads,
                                                         .seconds = options.seconds - layers},
                                                        clock, progress));
  if (!options.layers) return table;
  CONCERTINA_TRY(measure_layers(std::move(model.network),
                                {.loading = options.loading,
                                 .machine = this_roofline(options.threads.front()),
                                 .batch = options.batches.front(),
                                 .threads = options.threads.front(),
                                 .seconds = layers},
                                clock, progress, table));
  return table;
}

}  // namespace concertina::control
