#include "runtime/tune.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "base/file.h"
#include "base/machine.h"
#include "base/try.h"
#include "common/progress_bar.h"
#include "common/table.h"
#include "device/options.h"
#include "device/timing.h"
#include "device/verbs.h"
#include "onnx/model_file.h"

namespace concertina::apps {
namespace {

struct TuneOptions {
  std::string model;
  std::string out;
  runtime::TuneOptions tune;
  bool json = false;
};

/// Milliseconds over all sub-nets.
Table::Cell sum_of(const runtime::LayerTuning& layer, runtime::Packing packing) {
  const auto times = layer.milliseconds.find(packing);
  if (times == layer.milliseconds.end()) return {"-"};
  return fixed(std::accumulate(times->second.begin(), times->second.end(), 0.0), 4);
}

/// "winograd; sub-nets 6, 7: planar": the packing, and what else runs which sub-nets.
std::string chosen(const runtime::LayerTuning& layer) {
  std::map<runtime::ConvKernel, std::vector<std::size_t>> subnets;
  for (std::size_t i = 0; i < layer.kernels.size(); ++i) subnets[layer.kernels[i]].push_back(i);
  std::string text(packing_name(layer.best));
  for (const auto& [kernel, numbers] : subnets) {
    if (text.starts_with(kernel_name(kernel))) continue;
    text += fmt::format("; sub-net{} {}: {}", numbers.size() == 1 ? "" : "s", fmt::join(numbers, ", "),
                        kernel_name(kernel));
  }
  return text;
}

/// Kernels by sub-net, for JSON.
std::vector<std::string_view> kernels_of(const runtime::LayerTuning& layer) {
  std::vector<std::string_view> names;
  for (const runtime::ConvKernel kernel : layer.kernels) names.push_back(kernel_name(kernel));
  return names;
}

Table table_of(const runtime::Tuning& tuning) {
  std::vector<runtime::Packing> packings;
  for (const auto packing : {runtime::Packing::direct, runtime::Packing::grouped, runtime::Packing::winograd,
                             runtime::Packing::winograd2, runtime::Packing::bf16, runtime::Packing::int8}) {
    const bool used = std::any_of(tuning.layers.begin(), tuning.layers.end(), [&](const auto& layer) {
      return layer.second.milliseconds.contains(packing);
    });
    if (used) packings.push_back(packing);
  }
  std::vector<Table::Column> columns = {{"layer", "layer"}};
  for (const auto packing : packings) {
    columns.push_back(
        {fmt::format("{}, ms", packing_name(packing)), fmt::format("{}_ms", packing_name(packing))});
  }
  columns.insert(columns.end(), {{"chosen", ""}, {"", "packing"}, {"", "kernels"}});
  Table table(std::move(columns));
  for (const auto& [name, layer] : tuning.layers) {
    std::vector<Table::Cell> row = {words(name)};
    for (const auto packing : packings) row.push_back(sum_of(layer, packing));
    row.push_back(words(chosen(layer)));
    row.push_back(unseen(packing_name(layer.best)));
    row.push_back(unseen(kernels_of(layer)));
    table.add(std::move(row));
  }
  return table;
}

constexpr const char* kLegend =
    "Milliseconds are sums over the sub-nets. \"winograd; sub-nets 6, 7: planar\" means: the weights are packed "
    "for winograd, and sub-nets 6 and 7 run the layer with the planar kernel.\n";

Status tune_model(TuneOptions options) {
  ASSIGN_OR_RETURN(const onnx::ModelFile file, onnx::read_model(options.model));
  RETURN_IF_ERROR(choose_out(options.out, options.model, ".tuning.json"));
  ProgressBar progress;
  warn_if_busy(std::min(options.tune.threads, usable_cores()), progress);
  bool started = false;
  ASSIGN_OR_RETURN(const runtime::Tuning tuning, runtime::tune(file, options.tune, [&](int done, int all) {
                     if (!std::exchange(started, true)) progress.start("tune", all);
                     progress.update(done, "");
                   }));
  RETURN_IF_ERROR(write_file(options.out, tuning.to_json()));
  const Table table = table_of(tuning);
  if (options.json) {
    const nlohmann::json all = {{"layers", table.json()}, {"out", options.out}};
    fmt::print("{}\n", all.dump(1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("{}{}The table is {}.\n", table.text(), kLegend, options.out);
  }
  return {};
}

void define(CLI::App* verb, TuneOptions& options) {
  add_model_argument(verb, options.model);
  add_out_option(verb, options.out, "table for --tuning (default: <model>.tuning.json)");
  add_precision_option(verb, options.tune.precision);
  add_run_options(verb, options.tune.threads, options.tune.batch);
  add_range_option(verb, "--rounds", options.tune.rounds, "rounds in which all kernels take turns", 1, 1000);
  add_range_option(verb, "-r,--iterations", options.tune.runs, "runs of each sub-net in a round", 1, 100'000);
  add_json_option(verb, options.json);
}

}  // namespace

void add_tune(CLI::App& program, Action& chosen) {
  add_verb<TuneOptions>(program, chosen, "tune", "Find the fastest kernel for each layer on this machine",
                        "  concertina tune model.onnx\n"
                        "  concertina bench model.onnx --tuning model.tuning.json\n",
                        define, tune_model);
}

}  // namespace concertina::apps
