#include "control/subnet_profiles.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/try.h"
#include "concertina/precision.h"
#include "profile/measure_subnets.h"
#include "profile/this_machine.h"

namespace concertina::control {
namespace {

constexpr double kMeasureSeconds = 0.5;

Status check_machine(const latency::LatencyTable& table) {
  return profile::check_this_machine(table.machine, "the latency table was measured",
                                     "run concertina profile here, or accept a table of another machine");
}

Result<latency::LatencyTable> measure_shortly(const std::shared_ptr<const Model>& model,
                                              const AdaptiveOptions& options) {
  SilentProgress silent;
  return profile::measure_subnets(model,
                                  {.batches = {options.batch},
                                   .threads = {options.threads},
                                   .seconds = kMeasureSeconds,
                                   .least_runs = 20},
                                  SteadyClock(), silent);
}

}  // namespace

Result<std::vector<SubnetProfile>> profiles_from_table(const Model& model, const latency::LatencyTable& table,
                                                       int batch, int threads) {
  if (table.precision != model.precision()) {
    return Error{fmt::format("the latency table is for {}, but the model is loaded in {}",
                             name_of(table.precision), name_of(model.precision()))};
  }
  std::vector<SubnetProfile> sizes;
  for (const SubnetInfo& info : model.subnets()) {
    const latency::TimeQuantiles* times = table.find(info.subnet, batch, threads);
    if (times == nullptr) {
      return Error{
          fmt::format("the latency table has no times of the sub-net {} with batch {} on {} threads; "
                      "run concertina profile on this model with --batch {} --threads {}",
                      to_string(info.subnet), batch, threads, batch, threads)};
    }
    sizes.push_back({.accuracy = info.validation_accuracy, .times = *times});
  }
  return sizes;
}

Result<std::vector<SubnetProfile>> subnet_profiles(const std::shared_ptr<const Model>& model,
                                                   const AdaptiveOptions& options) {
  if (options.latency_table.empty()) {
    ASSIGN_OR_RETURN(const latency::LatencyTable measured, measure_shortly(model, options));
    return profiles_from_table(*model, measured, options.batch, options.threads);
  }
  ASSIGN_OR_RETURN(const latency::LatencyTable table, latency::LatencyTable::read(options.latency_table));
  Status fits = options.other_machine ? Status() : check_machine(table);
  if (!fits) return in_file(options.latency_table, fits.error());
  auto sizes = profiles_from_table(*model, table, options.batch, options.threads);
  if (!sizes) return in_file(options.latency_table, sizes.error());
  return sizes;
}

}  // namespace concertina::control
