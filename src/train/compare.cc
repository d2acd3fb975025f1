#include "train/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/file.h"
#include "base/try.h"
#include "graph/cost.h"
#include "report/comparison_report.h"
#include "train/stages/stages.h"

namespace concertina::train {
namespace {

/// That by which the runs' sub-nets are compared: the first that an arm names.
Result<std::optional<latency::LatencyTable>> find_table(const std::vector<recipe::Arm>& arms) {
  for (const recipe::Arm& arm : arms) {
    const std::filesystem::path& path = arm.recipe.search.latency_table;
    if (path.empty()) continue;
    auto table = latency::LatencyTable::read(path);
    if (table) return std::optional(*std::move(table));
    return Error{fmt::format("arm '{}': search.latency_table: {}; {}", arm.name, table.error().message,
                             recipe::kPathRule)};
  }
  return std::optional<latency::LatencyTable>();
}

double epoch_macs(const Run& run) {
  return search::training_spending(run.graph(), full_subnet(run.graph()),
                                   static_cast<std::int64_t>(run.data().training.size()))
      .macs;
}

/// The smallest size at which the arms are compared.
Subnet least_of(const Run& reference) {
  return uniform_subnet(reference.groups(), recipe::groups_at_end(reference.recipe().search));
}

/// The sizes at which the arms are compared.
void fix_grids(const Run& reference, int points, const std::optional<latency::LatencyTable>& table,
               report::MeasuredComparison& measured) {
  const Graph& graph = reference.graph();
  const Subnet full = full_subnet(graph), least = least_of(reference);
  const Cost largest = cost(graph, full), smallest = cost(graph, least);
  measured.macs_grid =
      report::log_grid(static_cast<double>(smallest.macs), static_cast<double>(largest.macs), points);
  measured.parameter_grid = report::log_grid(static_cast<double>(smallest.parameters),
                                             static_cast<double>(largest.parameters), points);
  if (!table) return;
  measured.milliseconds_grid =
      report::log_grid(table->layer_sum(graph, least), table->layer_sum(graph, full), points);
  measured.milliseconds_of = "predicted for " + latency::describe_layers(*table);
}

Status write(const report::MeasuredComparison& measured, const std::filesystem::path& folder) {
  RETURN_IF_ERROR(write_file(folder / "comparison.json", report::to_json(measured)));
  RETURN_IF_ERROR(write_file(folder / "comparison.md", report::to_markdown(measured)));
  return write_file(folder / "comparison.svg", report::to_svg(measured));
}

/// Sub-nets of several networks, equal ones once.
class SubnetsToTime {
 public:
  /// The number of the network, and of the sub-net among its own.
  using Place = std::pair<std::size_t, std::size_t>;

  /// Where the sub-net is; adds it if it is new.
  Place place(const Graph& graph, const Subnet& subnet) {
    auto network = std::find_if(networks_.begin(), networks_.end(),
                                [&](const NetworkToTime& one) { return one.graph == graph; });
    if (network == networks_.end()) network = networks_.insert(network, {graph, {}});
    std::vector<Subnet>& subnets = network->subnets;
    const auto found = std::find(subnets.begin(), subnets.end(), subnet);
    const Place at(network - networks_.begin(), found - subnets.begin());
    if (found == subnets.end()) subnets.push_back(subnet);
    return at;
  }

  std::span<const NetworkToTime> networks() const { return networks_; }

 private:
  std::vector<NetworkToTime> networks_;
};

/// The runs of all arms.
class ArmRuns {
 public:
  static Result<ArmRuns> open(const CompareRequest& request, Progress& progress) {
    ASSIGN_OR_RETURN(const Compute compute, make_compute(request.device, request.threads));
    ArmRuns runs(request, compute, progress);
    if (request.stopwatch.time) return runs;
    ASSIGN_OR_RETURN(runs.table_, find_table(runs.arms_));
    return runs;
  }

  /// Fixes the sizes at which the arms are compared, and the budgets. All that can be wrong is found out
  /// here, before anything is trained.
  Status prepare(report::MeasuredComparison& measured) {
    const int seed = request_.comparison.seeds.front();
    for (std::size_t i = 0; i < arms_.size(); ++i) {
      ASSIGN_OR_RETURN(const Run run, open_run(i, seed));
      if (table_) RETURN_IF_ERROR(of_arm(i, table_->check_layers(run.graph())));
      epochs_[i] = epoch_macs(run);
      graphs_.push_back(run.graph());
      if (arms_[i].name != measured.references.front()) continue;
      fix_grids(run, request_.comparison.points, table_, measured);
      ends_ = {i, least_of(run)};
      measured.epoch_macs = epochs_[i];
    }
    for (std::size_t i = 0; i < arms_.size(); ++i) {
      epochs_[i] /= measured.epoch_macs;
      RETURN_IF_ERROR(of_arm(i, recipe::check_budget(recipe_of(i, seed))));
    }
    return {};
  }

  /// Does what is not done of the arm's run. Stages of the arms before it are copied.
  Result<report::MeasuredRun> train(std::size_t arm, int seed) {
    ASSIGN_OR_RETURN(const Run run, open_run(arm, seed));
    for (std::size_t other = 0; other < arm; ++other) RETURN_IF_ERROR(run.adopt(folder_of(other, seed)));
    RETURN_IF_ERROR(run_all(run));
    ASSIGN_OR_RETURN(report::RunResult result, run.result());
    result.costs.pop_back();  // packaging is the same for every way of training
    if (table_) {
      for (report::MeasuredSubnet& one : result.subnets)
        one.milliseconds = table_->layer_sum(run.graph(), one.subnet);
    }
    return report::MeasuredRun{arms_[arm].name, seed, std::move(result.subnets), std::move(result.costs)};
  }

  /// Times the sub-nets of all runs, and fixes the times at which the arms are compared.
  Status time(report::MeasuredComparison& measured) const {
    SubnetsToTime all;
    const auto place = [&](std::size_t arm, const Subnet& subnet) { return all.place(graphs_[arm], subnet); };
    const auto full = place(ends_.arm, full_subnet(graphs_[ends_.arm]));
    const auto least = place(ends_.arm, ends_.least);
    for (const report::MeasuredRun& run : measured.runs) {
      for (const report::MeasuredSubnet& one : run.subnets) place(arm_named(run.arm), one.subnet);
    }
    ASSIGN_OR_RETURN(const auto times, request_.stopwatch.time(all.networks()));
    const auto time_at = [&](const auto& at) { return times[at.first][at.second]; };
    measured.milliseconds_grid = report::log_grid(time_at(least), time_at(full), request_.comparison.points);
    measured.milliseconds_of = "measured on " + request_.stopwatch.machine;
    for (report::MeasuredRun& run : measured.runs) {
      for (report::MeasuredSubnet& one : run.subnets)
        one.milliseconds = time_at(place(arm_named(run.arm), one.subnet));
    }
    return {};
  }

 private:
  /// The sizes between which arms are compared are those of the first reference's network.
  struct Ends {
    std::size_t arm = 0;
    Subnet least = {};
  };

  std::size_t arm_named(const std::string& name) const {
    const auto found =
        std::find_if(arms_.begin(), arms_.end(), [&](const recipe::Arm& arm) { return arm.name == name; });
    return static_cast<std::size_t>(found - arms_.begin());
  }

  ArmRuns(const CompareRequest& request, const Compute& compute, Progress& progress)
      : request_(request),
        arms_(request.comparison.arms),
        compute_(compute),
        progress_(progress),
        reader_(compute.device, at::get_num_threads()),
        epochs_(arms_.size(), 1) {}

  std::filesystem::path folder_of(std::size_t arm, int seed) const {
    return request_.folder / arms_[arm].name / fmt::format("seed-{}", seed);
  }

  recipe::Recipe recipe_of(std::size_t arm, int seed) const {
    recipe::Recipe recipe = arms_[arm].recipe;
    recipe.seed = seed;
    recipe.joint.budget /= epochs_[arm];
    return recipe;
  }

  Result<Run> open_run(std::size_t arm, int seed) {
    auto run =
        Run::open(recipe_of(arm, seed), folder_of(arm, seed), request_.cache, compute_, reader_, progress_);
    if (!run) return of_arm(arm, run.error()).error();
    return run;
  }

  Status of_arm(std::size_t arm, const Status& status) const {
    if (status) return status;
    return Error{fmt::format("arm '{}': {}", arms_[arm].name, status.error().message)};
  }

  const CompareRequest& request_;
  const std::vector<recipe::Arm>& arms_;
  Compute compute_;
  Progress& progress_;
  DataReader reader_;
  std::optional<latency::LatencyTable> table_;  ///< by which milliseconds are sizes too
  std::vector<Graph> graphs_;                   ///< by arm
  Ends ends_;
  std::vector<double> epochs_;  ///< by arm: of the reference's network, that an epoch of the arm's own is
};

/// The runs of other files of this comparison. `measured` has the sizes.
Result<std::vector<report::MeasuredRun>> runs_done_elsewhere(const CompareRequest& request,
                                                             const report::MeasuredComparison& measured) {
  std::vector<report::MeasuredRun> runs;
  for (const std::filesystem::path& path : request.with) {
    ASSIGN_OR_RETURN(report::MeasuredComparison other, report::read_comparison(path));
    if (other.macs_grid != measured.macs_grid || other.parameter_grid != measured.parameter_grid ||
        (!request.stopwatch.time && other.milliseconds_grid != measured.milliseconds_grid) ||
        other.epoch_macs != measured.epoch_macs || other.measure != measured.measure) {
      return Error{fmt::format(
          "'{}' compares at other sizes, by another measure, or another network; give one of this comparison",
          path.string())};
    }
    std::move(other.runs.begin(), other.runs.end(), std::back_inserter(runs));
  }
  return runs;
}

}  // namespace

Result<report::MeasuredComparison> compare(const CompareRequest& request, Progress& progress) {
  const recipe::Comparison& comparison = request.comparison;
  report::MeasuredComparison measured{
      .runs = {},
      .references = comparison.references,
      .macs_grid = {},
      .parameter_grid = {},
      .measure = std::string(recipe::measure_of(comparison.arms[0].recipe.task)),
      .epoch_macs = 0};
  ASSIGN_OR_RETURN(ArmRuns runs, ArmRuns::open(request, progress));
  RETURN_IF_ERROR(runs.prepare(measured));
  ASSIGN_OR_RETURN(const auto elsewhere, runs_done_elsewhere(request, measured));
  for (const int seed : comparison.seeds) {
    for (const recipe::Arm& arm : comparison.arms) measured.missing.push_back({arm.name, seed});
  }
  for (const int seed : comparison.seeds) {
    for (std::size_t i = 0; i < comparison.arms.size(); ++i) {
      progress.message(fmt::format("Arm {}, seed {}: run {} of {}", comparison.arms[i].name, seed,
                                   measured.runs.size() + 1,
                                   comparison.arms.size() * comparison.seeds.size()));
      const auto done = std::find_if(elsewhere.begin(), elsewhere.end(), [&](const report::MeasuredRun& run) {
        return run.arm == comparison.arms[i].name && run.seed == seed;
      });
      if (done != elsewhere.end()) {
        measured.runs.push_back(*done);
      } else {
        ASSIGN_OR_RETURN(report::MeasuredRun one, runs.train(i, seed));
        measured.runs.push_back(std::move(one));
      }
      measured.missing.erase(measured.missing.begin());
      RETURN_IF_ERROR(write(measured, request.folder));
    }
  }
  if (request.stopwatch.time) {
    RETURN_IF_ERROR(runs.time(measured));
    RETURN_IF_ERROR(write(measured, request.folder));
  }
  return measured;
}

}  // namespace concertina::train
