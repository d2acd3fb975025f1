#include "train/compare.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/try.h"
#include "graph/cost.h"
#include "train/stages/stages.h"

namespace concertina::train {
namespace {

std::filesystem::path run_folder(const std::filesystem::path& folder, const recipe::Arm& arm, int seed) {
  return folder / arm.name / fmt::format("seed-{}", seed);
}

Result<std::vector<report::MeasuredSubnet>> read_results(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string text, read_file(path));
  std::vector<report::MeasuredSubnet> subnets;
  try {
    for (const auto& entry : nlohmann::json::parse(text)) {
      subnets.push_back({.widths = entry.at("widths"),
                         .macs = entry.at("macs"),
                         .parameters = entry.at("parameters"),
                         .accuracy = entry.at("test_top1"),
                         .validation_accuracy = entry.at("validation_top1")});
    }
  } catch (const nlohmann::json::exception&) {
    return Error{fmt::format("'{}' is damaged; delete its folder to make it again", path.string())};
  }
  return subnets;
}

/// That by which the runs' sub-nets are compared: the first that an arm names.
Result<std::optional<latency::LatencyTable>> find_table(const recipe::Comparison& plan) {
  for (const recipe::Arm& arm : plan.arms) {
    const std::string& path = arm.recipe.search.latency_table;
    if (path.empty()) continue;
    ASSIGN_OR_RETURN(latency::LatencyTable table, latency::LatencyTable::read(path));
    return std::optional(std::move(table));
  }
  return std::optional<latency::LatencyTable>();
}

Status check_table(const std::optional<latency::LatencyTable>& table, const Run& run,
                   const std::string& arm) {
  if (!table) return {};
  const Status fits = table->check_layers(run.graph());
  return fits ? fits : Error{fmt::format("arm '{}': {}", arm, fits.error().message)};
}

Status predict(const latency::LatencyTable& table, const Graph& graph,
               std::vector<report::MeasuredSubnet>& subnets) {
  for (report::MeasuredSubnet& one : subnets) {
    ASSIGN_OR_RETURN(const Subnet subnet, parse_subnet(one.widths));
    RETURN_IF_ERROR(check_subnet(graph, subnet));
    one.milliseconds = table.layer_sum(graph, subnet);
  }
  return {};
}

Result<report::MeasuredRun> measure(const Run& run, const recipe::Arm& arm, int seed,
                                    const std::optional<latency::LatencyTable>& table) {
  report::MeasuredRun result{.arm = arm.name, .seed = seed, .subnets = {}, .costs = {}};
  ASSIGN_OR_RETURN(result.subnets, read_results(run.file(recipe::Stage::package, "results.json")));
  if (table) RETURN_IF_ERROR(predict(*table, run.graph(), result.subnets));
  for (const recipe::Stage stage : recipe::kStages) {
    if (stage == recipe::Stage::package) continue;
    ASSIGN_OR_RETURN(const StageRecord record, run.record(stage));
    result.costs.push_back({std::string(recipe::stage_name(stage)), record.spent.images, record.spent.macs,
                            record.seconds, record.device});
  }
  return result;
}

double epoch_macs(const Run& run) {
  return search::training_spending(run.graph(), full_subnet(run.graph()),
                                   static_cast<std::int64_t>(run.data().training.size()))
      .macs;
}

/// The sizes at which the arms are compared.
Status fix_grids(const Run& reference, int points, const std::optional<latency::LatencyTable>& table,
                 report::MeasuredComparison& comparison) {
  const recipe::Recipe::Search& search = reference.recipe().search;
  const ChannelGroups& groups = reference.groups();
  const Subnet full = full_subnet(reference.graph());
  const Subnet least = uniform_subnet(groups, recipe::groups_at_end(search));
  const Cost largest = cost(reference.graph(), full);
  const Cost smallest = cost(reference.graph(), least);
  comparison.macs_grid =
      report::log_grid(static_cast<double>(smallest.macs), static_cast<double>(largest.macs), points);
  comparison.parameter_grid = report::log_grid(static_cast<double>(smallest.parameters),
                                               static_cast<double>(largest.parameters), points);
  if (table) {
    comparison.milliseconds_grid = report::log_grid(table->layer_sum(reference.graph(), least),
                                                    table->layer_sum(reference.graph(), full), points);
    comparison.milliseconds_of = latency::describe_layers(*table);
  }
  return {};
}

}  // namespace

Status compare(const recipe::Comparison& plan, const std::filesystem::path& folder, const Compute& compute,
               Progress& progress, const std::function<Status(const report::MeasuredComparison&)>& measured) {
  DataReader reader(compute.device, at::get_num_threads());
  std::vector<double> epochs(plan.arms.size(), 1);  // of the reference's network, an arm's own epoch is
  const auto of_arm = [&](std::size_t i, const Error& error) {
    return Error{fmt::format("arm '{}': {}", plan.arms[i].name, error.message)};
  };
  const auto recipe_of = [&](std::size_t i, int seed) {
    recipe::Recipe recipe = plan.arms[i].recipe;
    recipe.seed = seed;
    recipe.joint.budget /= epochs[i];
    return recipe;
  };
  const auto open = [&](std::size_t i, int seed) {
    auto run =
        Run::open(recipe_of(i, seed), run_folder(folder, plan.arms[i], seed), compute, reader, progress);
    return run ? std::move(run) : of_arm(i, run.error());
  };
  report::MeasuredComparison comparison{
      .runs = {}, .reference = plan.reference, .macs_grid = {}, .parameter_grid = {}, .epoch_macs = 0};
  ASSIGN_OR_RETURN(const std::optional<latency::LatencyTable> table, find_table(plan));
  // All that can be wrong is found out before anything is trained.
  for (std::size_t i = 0; i < plan.arms.size(); ++i) {
    ASSIGN_OR_RETURN(const Run run, open(i, plan.seeds.front()));
    RETURN_IF_ERROR(check_table(table, run, plan.arms[i].name));
    epochs[i] = epoch_macs(run);
    if (plan.arms[i].name != plan.reference) continue;
    RETURN_IF_ERROR(fix_grids(run, plan.points, table, comparison));
    comparison.epoch_macs = epochs[i];
  }
  for (std::size_t i = 0; i < plan.arms.size(); ++i) {
    epochs[i] /= comparison.epoch_macs;
    const Status enough = recipe::check_budget(recipe_of(i, plan.seeds.front()));
    if (!enough) return of_arm(i, enough.error());
  }
  for (const int seed : plan.seeds) {
    for (std::size_t i = 0; i < plan.arms.size(); ++i) {
      const recipe::Arm& arm = plan.arms[i];
      progress.message(fmt::format("Arm {}, seed {}: run {} of {}", arm.name, seed,
                                   comparison.runs.size() + 1, plan.arms.size() * plan.seeds.size()));
      ASSIGN_OR_RETURN(const Run run, open(i, seed));
      for (std::size_t other = 0; other < i; ++other) {
        RETURN_IF_ERROR(run.adopt(run_folder(folder, plan.arms[other], seed)));
      }
      RETURN_IF_ERROR(run_all(run));
      ASSIGN_OR_RETURN(report::MeasuredRun one, measure(run, arm, seed, table));
      comparison.runs.push_back(std::move(one));
      RETURN_IF_ERROR(measured(comparison));
    }
  }
  return {};
}

}  // namespace concertina::train
