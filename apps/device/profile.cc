#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/machine.h"
#include "base/try.h"
#include "common/options.h"
#include "common/progress_bar.h"
#include "common/table.h"
#include "concertina/precision.h"
#include "device/options.h"
#include "device/timing.h"
#include "device/verbs.h"
#include "graph/networks/networks.h"
#include "graph/random_weights.h"
#include "onnx/model_file.h"
#include "onnx/network_file.h"
#include "profile/busy_machine.h"
#include "profile/measure_subnets.h"
#include "runtime/timing_model.h"

namespace concertina::apps {
namespace {

struct ProfileOptions {
  std::string model;
  std::string out;
  std::string input = "3x32x32";
  int classes = 10;
  double width = 1;
  bool no_layers = false;
  bool json = false;
  profile::ProfileOptions profile;
};

Result<onnx::ModelFile> built_in(const ProfileOptions& options) {
  ASSIGN_OR_RETURN(const auto input, parse_shape(options.input));
  auto graph = make_network({.name = options.model,
                             .input = input.value_or(Shape{}),
                             .classes = options.classes,
                             .width = options.width});
  if (!graph) {
    return Error{
        fmt::format("'{}' is neither a file nor a network: {}", options.model, graph.error().message)};
  }
  return runtime::file_of({*graph, random_weights(*graph)});
}

/// A dynamic model, any other network, or the name of one.
Result<onnx::ModelFile> open(const ProfileOptions& options) {
  if (!std::filesystem::exists(options.model)) return built_in(options);
  auto model = onnx::read_model(options.model);
  if (model) return model;
  auto imported = onnx::import_network(options.model);  // refuses a damaged model too, saying why
  if (!imported) return imported.error();
  return runtime::file_of(std::move(imported->network));
}

constexpr int kRunsForP99 = 100;  // with fewer the slowest run decides alone

std::string machine_line(const latency::LatencyTable& table) {
  const latency::MeasuredMachine& machine = table.machine;
  return fmt::format("{}, {}, {} core{}, {}{}\n", machine.cpu, machine.instruction_set, machine.cores,
                     machine.cores == 1 ? "" : "s", name_of(table.precision),
                     machine.governor.empty() ? "" : ", governor " + machine.governor);
}

std::string number(double ms) {
  return fmt::format("{:.{}f}", ms, ms < 1 ? 4 : ms < 100 ? 3 : 1);
}

std::string subnet_table(const latency::LatencyTable& table) {
  std::vector<std::vector<std::string>> rows = {
      {"sub-net", "batch", "threads", "runs", "median ms", "p90 ms", "p99 ms"}};
  for (const latency::SubnetLatency& one : table.subnets) {
    rows.push_back({one.subnet.widths.empty() ? "full" : to_string(one.subnet), std::to_string(one.batch),
                    std::to_string(one.threads), std::to_string(one.runs), number(one.times.median()),
                    number(one.times.at(0.9)), number(one.times.at(0.99))});
  }
  return format_table(rows);
}

std::string tail_note(const latency::LatencyTable& table) {
  const auto fewest = std::min_element(table.subnets.begin(), table.subnets.end(),
                                       [](const auto& a, const auto& b) { return a.runs < b.runs; });
  if (fewest == table.subnets.end() || fewest->runs >= kRunsForP99) return "";
  return fmt::format(
      "With batch {} on {} threads there was time for {} runs of each sub-net, of which p99 is the slowest; "
      "--seconds gives more.\n",
      fewest->batch, fewest->threads, fewest->runs);
}

std::vector<std::string> prediction_row(const char* name, const latency::PredictionError& error) {
  return {name, fmt::format("{:.1f} %", 100 * error.median), fmt::format("{:.1f} %", 100 * error.worst),
          fmt::format("{:.3f}", error.rank_correlation)};
}

std::string prediction_table(const latency::LatencyTable& table) {
  if (!table.prediction) return "";
  const latency::PredictionQuality& quality = *table.prediction;
  return fmt::format(
      "\n{} layers were measured with batch {} on {} thread{}. "
      "So far from the times of {} random sub-nets, which had no part in it, are predictions by\n{}"
      "Those times themselves repeat to {:.1f} %. The roofline is {:.0f} GFLOP/s and {:.1f} GB/s.\n",
      table.layers.size(), table.conditions.batch, table.conditions.threads,
      table.conditions.threads == 1 ? "" : "s", quality.subnets,
      format_table({{"", "median error", "worst error", "rank correlation"},
                    prediction_row("sums of layers", quality.layer_sums),
                    prediction_row("roofline", quality.roofline),
                    prediction_row("MACs alone", quality.macs)}),
      100 * quality.noise, quality.machine.gflops, quality.machine.gbytes_per_second);
}

/// A latency table for people: the machine, each sub-net in each case, and how well times of other widths are
/// predicted.
std::string report_of(const latency::LatencyTable& table) {
  return machine_line(table) + subnet_table(table) + tail_note(table) + prediction_table(table);
}

/// Warns of what is wrong with measuring here and now.
void check_machine(const profile::ProfileOptions& options, Progress& progress) {
  const int cores = usable_cores();
  const int threads = *std::max_element(options.threads.begin(), options.threads.end());
  if (threads > cores) {
    progress.message(fmt::format(
        "warning: this process may use {} core{}, on which {} threads are slower than {}; concertina "
        "plan takes none of these times",
        cores, cores == 1 ? "" : "s", threads, cores));
  }
  warn_if_busy(std::min(threads, cores), progress);
}

Status perform(ProfileOptions options) {
  options.profile.layers = !options.no_layers;
  ASSIGN_OR_RETURN(onnx::ModelFile model, open(options));
  RETURN_IF_ERROR(choose_out(options.out, options.model, ".latency.json"));
  ProgressBar progress;
  check_machine(options.profile, progress);
  ASSIGN_OR_RETURN(const latency::LatencyTable table,
                   profile::measure_model(std::move(model), options.profile, SteadyClock(), progress));
  RETURN_IF_ERROR(write_file(options.out, table.to_json()));
  const std::string busy = profile::describe_busy(table);
  if (!busy.empty()) progress.message("warning: " + busy);
  if (options.json) {
    auto out = nlohmann::ordered_json::parse(table.to_json());
    out["measured_busy"] = !busy.empty();
    fmt::print("{}\n", out.dump(1));
  } else {
    fmt::print("{}The table is {}.\n", report_of(table), options.out);
  }
  return {};
}

void define(CLI::App* verb, ProfileOptions& options) {
  options.profile.batches = {1, 8};
  if (usable_cores() > 1) options.profile.threads.push_back(2);
  verb->add_option("MODEL", options.model,
                   "dynamic model or any network (.onnx), or the name of a built-in network")
      ->required();
  in_range(add_list_option(verb, "-b,--batch", options.profile.batches, "images of one run, such as 1,8"), 1,
           4096);
  in_range(
      add_list_option(
          verb, "-x,--threads", options.profile.threads,
          "threads of one run, such as 1,2; 0: one for each core; layers are measured with the first batch "
          "on the first"),
      0, 256)
      ->transform(zero_is_every_core());
  add_seconds_option(verb, options.profile.seconds, "seconds for the whole measurement", 0.1)
      ->capture_default_str();
  add_model_options(verb, options.profile.loading);
  verb->add_flag("--no-layers", options.no_layers,
                 "measures sub-nets only, which is all that a runtime needs");
  verb->add_option("--input", options.input, "built-in network: shape of its images")->capture_default_str();
  verb->add_option("--classes", options.classes, "built-in network: number of its classes")
      ->capture_default_str();
  verb->add_option("--width", options.width, "built-in network: multiplies the channels of every layer")
      ->capture_default_str();
  add_out_option(verb, options.out, "file for the table (default: <model>.latency.json)");
  add_json_option(verb, options.json, "print the table as JSON");
}

}  // namespace

void add_profile(CLI::App& program, Action& chosen) {
  add_verb<ProfileOptions>(program, chosen, "profile",
                           "Measure how long sub-nets and layers take on this machine",
                           "  concertina profile model.onnx\n"
                           "  concertina profile model.onnx --batch 1,8 --threads 2 --seconds 120\n"
                           "  concertina profile resnet20 --input 3x32x32 --classes 10\n"
                           "  concertina-train run cifar10-resnet20.toml --set search.cost=latency \\\n"
                           "    --set search.latency_table=resnet20.latency.json\n",
                           define, perform);
}

}  // namespace concertina::apps
