#include "control/model_sizes.h"

#include <fmt/format.h>

#include "base/progress.h"
#include "base/try.h"
#include "control/clock.h"
#include "control/profile/measure.h"
#include "control/this_machine.h"
#include "runtime/packing.h"

namespace concertina::control {
namespace {

constexpr double kMeasureSeconds = 0.5;

Status check_machine(const LatencyTable& table) {
  return check_this_machine(table.machine, "the latency table was measured",
                            "run concertina profile here, or accept a table of another machine");
}

Result<LatencyTable> measure_shortly(const std::shared_ptr<const Model>& model,
                                     const AdaptiveOptions& options) {
  SilentProgress silent;
  return measure_subnets(model,
                         {.batches = {options.batch},
                          .threads = {options.threads},
                          .seconds = kMeasureSeconds,
                          .least_runs = 20},
                         SteadyClock(), silent);
}

}  // namespace

Result<std::vector<Size>> sizes_from_table(const Model& model, const LatencyTable& table, int batch,
                                           int threads) {
  if (table.precision != runtime::precision_name(model.precision())) {
    return Error{fmt::format("the latency table is for {}, but the model is loaded in {}", table.precision,
                             runtime::precision_name(model.precision()))};
  }
  std::vector<Size> sizes;
  for (const SubnetInfo& info : model.subnets()) {
    const TimeQuantiles* times = table.find(info.subnet, batch, threads);
    if (times == nullptr) {
      return Error{
          fmt::format("the latency table has no times of the sub-net {} with batch {} on {} threads; run "
                      "concertina profile "
                      "on this model with --batch {} --threads {}",
                      to_string(info.subnet), batch, threads, batch, threads)};
    }
    sizes.push_back({.accuracy = info.validation_accuracy, .times = *times});
  }
  return sizes;
}

Result<std::vector<Size>> sizes_of(const std::shared_ptr<const Model>& model,
                                   const AdaptiveOptions& options) {
  if (options.latency_table.empty()) {
    CONCERTINA_ASSIGN(const LatencyTable measured, measure_shortly(model, options));
    return sizes_from_table(*model, measured, options.batch, options.threads);
  }
  CONCERTINA_ASSIGN(const LatencyTable table, LatencyTable::read(options.latency_table));
  Status fits = options.other_machine ? Status() : check_machine(table);
  if (!fits) return Error{fmt::format("'{}': {}", options.latency_table.string(), fits.error().message)};
  auto sizes = sizes_from_table(*model, table, options.batch, options.threads);
  if (!sizes) return Error{fmt::format("'{}': {}", options.latency_table.string(), sizes.error().message)};
  return sizes;
}

}  // namespace concertina::control
