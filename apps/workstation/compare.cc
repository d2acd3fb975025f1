#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/try.h"
#include "common/progress_bar.h"
#include "train/pipeline.h"
#include "workstation/verbs.h"

namespace concertina::apps {
namespace {

struct Options {
  std::string plan;
  std::vector<std::string> settings;
  std::vector<int> seeds;
  std::string out;
  std::string device = "cpu";
  int threads = 0;
  bool json = false;
};

Status perform(Options options) {
  if (options.out.empty())
    options.out = (std::filesystem::path("runs") / std::filesystem::path(options.plan).stem()).string();
  ASSIGN_OR_RETURN(recipe::Comparison plan, recipe::read_comparison(options.plan, options.settings));
  if (!options.seeds.empty()) {
    std::sort(options.seeds.begin(), options.seeds.end());
    options.seeds.erase(std::unique(options.seeds.begin(), options.seeds.end()), options.seeds.end());
    plan.seeds = options.seeds;
  }
  ProgressBar progress;
  ASSIGN_OR_RETURN(const std::string json, train::compare({.plan = std::move(plan),
                                                           .folder = options.out,
                                                           .device = options.device,
                                                           .threads = options.threads},
                                                          progress));
  const std::filesystem::path table = std::filesystem::path(options.out) / "comparison.md";
  progress.message(fmt::format("The comparison is {}; .json and .svg are beside it.", table.string()));
  if (options.json) {
    fmt::print("{}", json);
  } else {
    ASSIGN_OR_RETURN(const std::string markdown, read_file(table));
    fmt::print("{}", markdown);
  }
  return {};
}

}  // namespace

void add_compare_verb(CLI::App& program, Action& chosen) {
  CLI::App* verb = add_verb(
      program, "compare", "Train the arms of a plan at equal budgets and compare them",
      "  concertina-train compare recipes/cifar10-resnet20.plan.toml\n"
      "  concertina-train compare PLAN.toml --seeds 4 --set joint.budget=5 --set pretrain.epochs=2 --out "
      "runs/short\n");
  const auto options = std::make_shared<Options>();
  verb->add_option("PLAN", options->plan, "TOML file: recipe, seeds, budget, arms")->required();
  verb->add_option("--set", options->settings, "table.key=value over the common recipe; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  verb->add_option("--seeds", options->seeds, "instead of the plan's")->check(CLI::Range(0, 1'000'000'000));
  verb->add_option("--out", options->out, "folder of all runs (default: runs/<name of the plan>)")
      ->type_name("DIR");
  verb->add_option("--device", options->device, "cpu, cuda or cuda:N")->capture_default_str();
  verb->add_option("--threads", options->threads, "threads of the CPU; 0 = one per processor")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  verb->add_flag("--json", options->json, "print the comparison as JSON on stdout");
  verb->callback([&chosen, options] { chosen = [options] { return perform(*options); }; });
}

}  // namespace concertina::apps
