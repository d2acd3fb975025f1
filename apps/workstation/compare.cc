#include "train/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/machine.h"
#include "base/try.h"
#include "common/options.h"
#include "common/progress_bar.h"
#include "graph/random_weights.h"
#include "kernels/layout.h"
#include "profile/time_in_turns.h"
#include "report/comparison_report.h"
#include "runtime/timing_model.h"
#include "train/distributed/place.h"
#include "workstation/cache_folder.h"
#include "workstation/verbs.h"

namespace concertina::apps {
namespace {

struct CompareOptions {
  std::string comparison;
  std::vector<std::string> settings;
  std::vector<int> seeds;
  std::vector<std::string> with;
  std::string out;
  std::string device = "cpu";
  int threads = 0;
  double measure = 0;
  bool json = false;
};

/// Times networks with random weights: what they compute makes no difference.
Result<std::vector<std::vector<double>>> time_networks(std::span<const train::NetworkToTime> networks,
                                                       double seconds, Progress& progress) {
  std::vector<std::shared_ptr<const Model>> models;
  for (const auto& [graph, subnets] : networks) {
    ASSIGN_OR_RETURN(auto model, runtime::make_timing_model({graph, random_weights(graph)}, subnets));
    models.push_back(std::move(model));
  }
  return profile::time_in_turns(models, seconds, SteadyClock(), progress);
}

Status compare_arms(CompareOptions options) {
  ASSIGN_OR_RETURN(const train::Place place,
                   train::place_from([](const char* name) { return std::getenv(name); }));
  if (place.count > 1) {
    return Error{
        "compare works in one process, but the environment's WORLD_SIZE says more; unset it and RANK, and share "
        "the work by --seeds"};
  }
  if (options.out.empty()) {
    options.out = (std::filesystem::path("runs") / std::filesystem::path(options.comparison).stem()).string();
  }
  ASSIGN_OR_RETURN(recipe::Comparison comparison,
                   recipe::read_comparison(options.comparison, options.settings));
  if (!options.seeds.empty()) {
    std::sort(options.seeds.begin(), options.seeds.end());
    options.seeds.erase(std::unique(options.seeds.begin(), options.seeds.end()), options.seeds.end());
    comparison.seeds = options.seeds;
  }
  ProgressBar progress;
  train::Stopwatch stopwatch;
  if (options.measure > 0) {
    stopwatch.machine = fmt::format("{}, {}, fp32, batch 1, 1 thread", cpu_name(), kernels::target_name());
    stopwatch.time = [&](std::span<const train::NetworkToTime> networks) {
      return time_networks(networks, options.measure, progress);
    };
  }
  ASSIGN_OR_RETURN(const report::MeasuredComparison measured,
                   train::compare({.comparison = std::move(comparison),
                                   .folder = options.out,
                                   .device = options.device,
                                   .threads = options.threads,
                                   .cache = cache_folder(),
                                   .with = {options.with.begin(), options.with.end()},
                                   .stopwatch = std::move(stopwatch)},
                                  progress));
  const std::filesystem::path table = std::filesystem::path(options.out) / "comparison.md";
  progress.message(fmt::format("The comparison is {}; .json and .svg are beside it.", table.string()));
  fmt::print("{}", options.json ? report::to_json(measured) : report::to_markdown(measured));
  return {};
}

}  // namespace

void add_compare_verb(CLI::App& program, Action& chosen) {
  CLI::App* verb = add_verb(
      program, "compare", "Train recipes, the arms of a comparison, at equal budgets",
      "  concertina-train compare recipes/cifar10-resnet20.comparison.toml\n"
      "  concertina-train compare COMPARISON.toml --seeds 4 --set joint.budget=5 --set pretrain.epochs=2 "
      "--out runs/short\n");
  const auto options = std::make_shared<CompareOptions>();
  verb->add_option("COMPARISON", options->comparison, "TOML file: recipe, seeds, budget, arms")->required();
  add_set_option(verb, options->settings, "the common recipe");
  in_range(add_list_option(verb, "--seeds", options->seeds, "instead of the comparison's, such as 1,2"), 0,
           1'000'000'000);
  verb->add_option(
          "--with", options->with,
          "a comparison.json of this comparison from another machine or day, whose runs are not done "
          "again; repeat it for more")
      ->type_name("FILE");
  in_range(verb->add_option("--measure", options->measure,
                            "time all sub-nets on this machine at the end, taking turns for so many seconds, "
                            "instead of predicting their times by a latency table"),
           0.01, 86400.0);
  verb->add_option("--out", options->out, "folder of all runs (default: runs/<name of the file>)")
      ->type_name("DIR");
  verb->add_option("--device", options->device, "cpu, cuda or cuda:N")->capture_default_str();
  add_threads_option(verb, options->threads, "threads of the CPU", 1024);
  verb->add_flag("--json", options->json, "print the comparison as JSON on stdout");
  verb->callback([&chosen, options] { chosen = [options] { return compare_arms(*options); }; });
}

}  // namespace concertina::apps
