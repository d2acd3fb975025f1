#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/try.h"
#include "common/options.h"
#include "common/progress_bar.h"
#include "common/table.h"
#include "train/pipeline.h"
#include "workstation/cache_folder.h"
#include "workstation/local_processes.h"
#include "workstation/scales.h"
#include "workstation/verbs.h"

namespace concertina::apps {
namespace {

using recipe::Stage;

struct RunOptions {
  std::string recipe;
  std::vector<std::string> settings;
  std::string out;
  std::string device = "cpu";
  int threads = 0;
  int processes = 1;
  std::optional<int> seed;
  bool json = false;
};

void add_options(CLI::App* verb, const std::shared_ptr<RunOptions>& options) {
  verb->add_option("RECIPE", options->recipe, "TOML file; left out: recipe.toml of the run directory");
  add_set_option(verb, options->settings, "the recipe");
  verb->add_option("--out", options->out, "run directory (default: runs/<name of the recipe>)")
      ->type_name("DIR");
  verb->add_option("--device", options->device, "cpu, cuda or cuda:N")->capture_default_str();
  add_threads_option(verb, options->threads, "threads of the CPU; of several processes, of each", 1024);
  in_range(verb->add_option("--seed", options->seed, "the recipe's seed"), 0, 1'000'000'000);
  verb->add_flag("--json", options->json, "print the results as JSON on stdout");
}

Status resolve(RunOptions& options) {
  if (options.seed) options.settings.push_back(fmt::format("seed={}", *options.seed));
  if (options.recipe.empty()) {
    if (options.out.empty()) return Error{"give a RECIPE, or --out DIR of a run that exists"};
    options.recipe = (std::filesystem::path(options.out) / "recipe.toml").string();
  }
  if (options.out.empty())
    options.out = (std::filesystem::path("runs") / std::filesystem::path(options.recipe).stem()).string();
  return {};
}

Result<train::Place> place_of_environment() {
  return train::place_from([](const char* name) { return std::getenv(name); });
}

/// The request that the options make.
Result<train::RunRequest> to_request(RunOptions options, std::optional<recipe::Stage> stage) {
  RETURN_IF_ERROR(resolve(options));
  ASSIGN_OR_RETURN(const train::Place place, place_of_environment());
  if (options.processes > 1 && place.count > 1) {
    return Error{fmt::format(
        "--processes {}: the environment's WORLD_SIZE says that there are {} processes already; leave --processes "
        "out, or unset WORLD_SIZE and RANK",
        options.processes, place.count)};
  }
  ASSIGN_OR_RETURN(recipe::Recipe recipe, recipe::read_recipe(options.recipe, options.settings));
  return train::RunRequest{.recipe = std::move(recipe),
                           .folder = options.out,
                           .cache = cache_folder(),
                           .device = options.device,
                           .threads = options.threads,
                           .stage = stage,
                           .place = place};
}

Status run_here(const train::RunRequest& request, const RunOptions& options) {
  ProgressBar progress;
  ASSIGN_OR_RETURN(const report::RunResult result, train::run_pipeline(request, progress));
  const bool tuned = request.recipe.quantize.epochs > 0;
  if (result.model && tuned) RETURN_IF_ERROR(add_scales(request.folder, request.threads, progress));
  if (result.model) {
    progress.message(
        fmt::format("The dynamic network is {}; concertina inspect shows it.", result.model->string()));
  }
  if (options.json && !result.subnets.empty()) fmt::print("{}", report::to_json(result.subnets));
  return {};
}

Status run_verb(const RunOptions& options, std::optional<recipe::Stage> stage) {
  ASSIGN_OR_RETURN(const train::RunRequest request, to_request(options, stage));
  if (options.processes == 1) return run_here(request, options);
  return run_local_processes(options.processes, [&](const train::Place& place) {
    train::RunRequest part = request;
    part.place = place;
    return run_here(part, options);
  });
}

Status judge_rankers(const RunOptions& options) {
  ASSIGN_OR_RETURN(const train::RunRequest request, to_request(options, {}));
  if (request.place.count > 1)
    return Error{
        "rankers works in one process, but the environment's WORLD_SIZE says more; unset it and RANK"};
  ProgressBar progress;
  ASSIGN_OR_RETURN(const auto qualities, train::judge_rankers(request, progress));
  if (options.json) {
    fmt::print("{}", report::to_json(qualities));
    return {};
  }
  std::vector<std::vector<std::string>> rows = {{"ranker", "", "channels", "groups"}};
  for (const report::RankerQuality& one : qualities)
    rows.push_back(
        {one.ranker, "", fmt::format("{:+.3f}", one.channels), fmt::format("{:+.3f}", one.groups)});
  fmt::print("Spearman correlation of each ranker's scores with the true removal losses:\n\n{}",
             format_table(rows));
  return {};
}

void add_run_verb(CLI::App& program, Action& chosen, const std::string& name, const std::string& summary,
                  std::optional<recipe::Stage> stage) {
  const char* needed = stage == Stage::fine_tune ? " --set quantize.epochs=1" : "";
  CLI::App* verb =
      add_verb(program, name, summary,
               fmt::format("  concertina-train {} recipes/fashion-mnist.toml --out runs/first{}\n"
                           "  concertina-train {} --out runs/first --set search.groups=4\n",
                           name, needed, name));
  const auto options = std::make_shared<RunOptions>();
  add_options(verb, options);
  add_range_option(verb, "--processes", options->processes,
                   "processes of this machine that train together, each on its part of every batch", 1, 1024);
  verb->callback(
      [&chosen, options, stage] { chosen = [options, stage] { return run_verb(*options, stage); }; });
}

}  // namespace

void add_run_verbs(CLI::App& program, Action& chosen) {
  add_run_verb(program, chosen, "run", "All stages, from data to model.onnx; finished ones are skipped", {});
  add_run_verb(program, chosen, "pretrain", "Train the full network", recipe::Stage::pretrain);
  add_run_verb(program, chosen, "rank", "Rank channels and sort them by importance", recipe::Stage::rank);
  add_run_verb(program, chosen, "search", "Search a chain of nested sub-nets", recipe::Stage::search);
  add_run_verb(program, chosen, "select", "Choose the sub-nets worth training", recipe::Stage::select);
  add_run_verb(program, chosen, "joint", "Train the chosen sub-nets in one set of weights",
               recipe::Stage::joint);
  add_run_verb(program, chosen, "fine-tune", "Train them on with the rounding of int8", Stage::fine_tune);
  add_run_verb(program, chosen, "package", "Calibrate, test, and write model.onnx", recipe::Stage::package);

  CLI::App* rankers =
      add_verb(program, "rankers",
               "Judge every ranker on the pretrained network, by the true loss of removing channels",
               "  concertina-train rankers recipes/cifar10-resnet20.toml --out runs/rankers\n");
  const auto options = std::make_shared<RunOptions>();
  add_options(rankers, options);
  rankers->callback([&chosen, options] { chosen = [options] { return judge_rankers(*options); }; });
}

}  // namespace concertina::apps
