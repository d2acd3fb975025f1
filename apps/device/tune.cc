#include "runtime/tune.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "base/try.h"
#include "common/progress_bar.h"
#include "common/table.h"
#include "device/options.h"
#include "device/verbs.h"
#include "onnx/model_file.h"

namespace concertina::apps {
namespace {

struct TuneOptions {
  std::string model;
  std::string out;
  runtime::TuneOptions tune;
};

std::string sum_of(const runtime::LayerTuning& layer, runtime::Packing packing) {
  const auto times = layer.milliseconds.find(packing);
  if (times == layer.milliseconds.end()) return "-";
  double sum = 0;
  for (const double ms : times->second) sum += ms;
  return fmt::format("{:.4f}", sum);
}

/// "winograd, planar in 6, 7": the packing, and what else runs it in which sub-nets.
std::string chosen(const runtime::LayerTuning& layer) {
  std::map<runtime::ConvKernel, std::vector<std::size_t>> subnets;
  for (std::size_t i = 0; i < layer.kernels.size(); ++i) subnets[layer.kernels[i]].push_back(i);
  std::string text(packing_name(layer.best));
  for (const auto& [kernel, numbers] : subnets) {
    if (text.starts_with(kernel_name(kernel))) continue;
    text += fmt::format(", {} in {}", kernel_name(kernel), fmt::join(numbers, " "));
  }
  return text;
}

std::string table_of(const runtime::Tuning& tuning) {
  std::vector<runtime::Packing> packings;
  for (const auto packing : {runtime::Packing::direct, runtime::Packing::grouped, runtime::Packing::winograd,
                             runtime::Packing::winograd2, runtime::Packing::bf16}) {
    const bool used = std::any_of(tuning.layers.begin(), tuning.layers.end(), [&](const auto& layer) {
      return layer.second.milliseconds.contains(packing);
    });
    if (used) packings.push_back(packing);
  }
  std::vector<std::vector<std::string>> rows = {{"layer"}};
  for (const auto packing : packings) rows[0].push_back(fmt::format("{}, ms", packing_name(packing)));
  rows[0].emplace_back("chosen");
  for (const auto& [name, layer] : tuning.layers) {
    rows.push_back({name});
    for (const auto packing : packings) rows.back().push_back(sum_of(layer, packing));
    rows.back().push_back(chosen(layer));
  }
  return format_table(rows);
}

Status tune_model(TuneOptions options) {
  if (options.out.empty()) options.out = beside_model(options.model, ".tuning.json");
  ASSIGN_OR_RETURN(const onnx::ModelFile file, onnx::read_model(options.model));
  ProgressBar progress;
  bool started = false;
  ASSIGN_OR_RETURN(const runtime::Tuning tuning, runtime::tune(file, options.tune, [&](int done, int all) {
                     if (!std::exchange(started, true)) progress.start("tune", all);
                     progress.update(done, "");
                   }));
  RETURN_IF_ERROR(write_file(options.out, tuning.to_json()));
  fmt::print("{}Milliseconds are sums over the sub-nets. The table is {}.\n", table_of(tuning), options.out);
  return {};
}

void define(CLI::App* verb, TuneOptions& options) {
  add_model_argument(verb, options.model);
  verb->add_option("--out", options.out, "what --tuning takes elsewhere (default: <model>.tuning.json)")
      ->type_name("FILE");
  add_precision_option(verb, options.tune.precision);
  add_run_options(verb, options.tune.threads, options.tune.batch);
  add_range_option(verb, "--rounds", options.tune.rounds, "of all kernels in turn", 1, 1000);
  add_range_option(verb, "-r,--iterations", options.tune.runs, "runs of each sub-net in a round", 1, 100'000);
}

}  // namespace

void add_tune(CLI::App& program, Action& chosen) {
  add_verb<TuneOptions>(program, chosen, "tune", "Find the fastest kernel for each layer on this machine",
                        "  concertina tune model.onnx\n"
                        "  concertina bench model.onnx --tuning model.tuning.json\n",
                        define, tune_model);
}

}  // namespace concertina::apps
