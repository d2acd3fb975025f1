#include "search/progressive_search.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/try.h"
#include "graph/cost.h"
#include "search/moves.h"
#include "search/shrinking_prior.h"

namespace concertina::search {
namespace {

/// One search. A step is a function of the step before it and the weights, which is what makes a resumed
/// search go the same way.
class Search {
 public:
  Search(const Graph& graph, const ChannelGroups& groups, Evaluator& evaluator, const SearchOptions& options)
      : graph_(graph),
        evaluator_(evaluator),
        options_(options),
        cost_(cost_function(graph, options)),
        full_cost_(cost_(full_subnet(graph))),
        prior_(graph, groups, options.tilt),
        moves_(graph, groups, options.axes, options.floor_groups) {}

  Result<TrajectoryStep> first_step() {
    const Spending before = evaluator_.spent();
    const Subnet full = full_subnet(graph_);
    ASSIGN_OR_RETURN(const Evaluation evaluation, checked(evaluator_.evaluate(full), full));
    ASSIGN_OR_RETURN(TrajectoryStep step, describe(full, evaluation));
    step.evaluations = 1;
    step.spent = evaluator_.spent() - before;
    step.scores.resize(moves_.count());
    return step;
  }

  /// Nothing if the search ends with `last`.
  Result<std::optional<TrajectoryStep>> next_step(const TrajectoryStep& last) {
    if (last.macs <= options_.end_macs) return std::optional<TrajectoryStep>{};
    const std::vector<std::optional<Subnet>> candidates = moves_.of(last.subnet);
    std::vector<std::optional<double>> scores = known_scores(last);
    std::vector<std::optional<TrajectoryStep>> evaluated(candidates.size());
    const Spending before = evaluator_.spent();
    RETURN_IF_ERROR(evaluator_.expect_neighbours(last.subnet, unknown(scores, candidates)));
    evaluator_.expect(in_order(scores, candidates));
    int evaluations = 0;
    while (true) {
      const std::optional<std::size_t> best = smallest(scores, candidates);
      if (!best) return std::optional<TrajectoryStep>{};
      std::optional<TrajectoryStep>& step = evaluated[*best];
      if (step) {
        step->step = last.step + 1;
        step->evaluations = evaluations;
        step->weights_version = last.weights_version;
        step->scores = std::move(scores);
        RETURN_IF_ERROR(fine_tune_if_needed(*step));
        step->spent = evaluator_.spent() - before;
        return step;
      }
      const Subnet& subnet = *candidates[*best];
      ASSIGN_OR_RETURN(const Evaluation evaluation, checked(evaluator_.evaluate(subnet), subnet));
      ASSIGN_OR_RETURN(step, describe(subnet, evaluation));
      scores[*best] = score(last, *step);
      ++evaluations;
    }
  }

  /// Fails unless `steps` could have come from this network and these groups.
  Status check(const std::vector<TrajectoryStep>& steps) const {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const TrajectoryStep& step = steps[i];
      const bool follows = i == 0 ? step.subnet == full_subnet(graph_) && step.weights_version == 0
                                  : follows_from(steps[i - 1], step);
      if (!follows || step.scores.size() != moves_.count() || step.cost != cost_(step.subnet) ||
          step.macs != cost(graph_, step.subnet).macs) {
        return Error{fmt::format(
            "step {} of the search journal, sub-net {}, does not follow from the one before it; delete the "
            "journal to search anew",
            i, to_string(step.subnet))};
      }
    }
    return {};
  }

 private:
  bool follows_from(const TrajectoryStep& last, const TrajectoryStep& step) const {
    const auto candidates = moves_.of(last.subnet);
    return std::find(candidates.begin(), candidates.end(), step.subnet) != candidates.end() &&
           step.weights_version == last.weights_version + (step.fine_tuned() ? 1 : 0);
  }

  /// After fine-tuning the old scores say nothing.
  std::vector<std::optional<double>> known_scores(const TrajectoryStep& last) const {
    const bool refresh = (last.step + 1) % options_.refresh_every == 0 || last.fine_tuned();
    return refresh ? std::vector<std::optional<double>>(last.scores.size()) : last.scores;
  }

  /// How many candidates have no score.
  static int unknown(const std::vector<std::optional<double>>& scores,
                     const std::vector<std::optional<Subnet>>& candidates) {
    int count = 0;
    for (std::size_t d = 0; d < candidates.size(); ++d) count += candidates[d] && !scores[d] ? 1 : 0;
    return count;
  }

  /// The first move of the smallest score; unknown scores come before all others.
  static std::optional<std::size_t> smallest(const std::vector<std::optional<double>>& scores,
                                             const std::vector<std::optional<Subnet>>& candidates) {
    std::optional<std::size_t> best;
    for (std::size_t d = 0; d < candidates.size(); ++d) {
      // std::optional orders nothing before every value.
      if (candidates[d] && (!best || scores[d] < scores[*best])) best = d;
    }
    return best;
  }

  /// The order in which smallest() gives them, as long as those that were evaluated are not it again.
  static std::vector<Subnet> in_order(const std::vector<std::optional<double>>& scores,
                                      const std::vector<std::optional<Subnet>>& candidates) {
    std::vector<std::size_t> order;
    for (std::size_t d = 0; d < candidates.size(); ++d) {
      if (candidates[d]) order.push_back(d);
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
    std::vector<Subnet> subnets;
    for (const std::size_t d : order) subnets.push_back(*candidates[d]);
    return subnets;
  }

  /// Smaller is better. Relative to `last`, so that it stays comparable over several steps.
  double score(const TrajectoryStep& last, const TrajectoryStep& next) const {
    if (options_.criterion == Criterion::accuracy) {
      constexpr double kTie = 1e-6;  // of losses, where so few images give equal accuracies
      return last.evaluation.accuracy - next.evaluation.accuracy +
             kTie * (next.evaluation.loss - last.evaluation.loss);
    }
    constexpr double kMinSaving = 1e-9;  // measured costs may stay or even rise
    const double saved = std::max((last.cost - next.cost) / full_cost_, kMinSaving);
    const double increase = expected_loss(next) - expected_loss(last);
    return increase > 0 ? increase / saved : increase * saved;
  }

  /// Measured and believed.
  double expected_loss(const TrajectoryStep& step) const {
    return step.evaluation.loss + options_.prior * prior_(step.subnet);
  }

  Result<TrajectoryStep> describe(const Subnet& subnet, const Evaluation& evaluation) const {
    ASSIGN_OR_RETURN(const double subnet_cost, checked_cost(cost_, subnet));
    const Cost counted = cost(graph_, subnet);
    TrajectoryStep step;
    step.subnet = subnet;
    step.evaluation = evaluation;
    step.cost = subnet_cost;
    step.macs = counted.macs;
    step.parameters = counted.parameters;
    return step;
  }

  Status fine_tune_if_needed(TrajectoryStep& step) {
    if (step.evaluation.accuracy >= options_.fine_tune_below) return {};
    const int version = step.weights_version + 1;
    ASSIGN_OR_RETURN(
        const Evaluation better,
        checked(evaluator_.fine_tune(step.subnet, options_.fine_tune_below, version), step.subnet));
    step.before_fine_tuning = step.evaluation;
    step.evaluation = better;
    step.weights_version = version;
    return {};
  }

  const Graph& graph_;
  Evaluator& evaluator_;
  const SearchOptions& options_;
  CostFunction cost_;
  double full_cost_;
  ShrinkingPrior prior_;
  Moves moves_;
};

/// The search's way in per cent of the MACs that it will remove.
class SearchProgress {
 public:
  SearchProgress(const Graph& graph, const ChannelGroups& groups, const SearchOptions& options,
                 Progress& progress)
      : progress_(progress),
        full_(cost(graph, full_subnet(graph)).macs),
        end_(std::max(options.end_macs, cost(graph, uniform_subnet(groups, options.floor_groups)).macs)) {
    progress_.start("search", 100);
  }

  void update(const TrajectoryStep& step) {
    const std::int64_t all = std::max<std::int64_t>(full_ - end_, 1);
    const double share = static_cast<double>(full_ - step.macs) / static_cast<double>(all);
    progress_.update(
        static_cast<std::int64_t>(100 * std::min(share, 1.0)),
        fmt::format("step {}: {:.2f} MMAC, loss {:.3f}, accuracy {:.1f} %{}", step.step,
                    static_cast<double>(step.macs) / 1e6, step.evaluation.loss,
                    100 * step.evaluation.accuracy, step.fine_tuned() ? " after fine-tuning" : ""));
  }

 private:
  Progress& progress_;
  std::int64_t full_;
  std::int64_t end_;
};

}  // namespace

Result<std::vector<TrajectoryStep>> progressive_search(const Graph& graph, const ChannelGroups& groups,
                                                       Evaluator& evaluator, const SearchOptions& options,
                                                       Journal& journal, Progress& progress) {
  RETURN_IF_ERROR(check_options(options));
  Search search(graph, groups, evaluator, options);
  RETURN_IF_ERROR(search.check(journal.steps()));
  SearchProgress shown(graph, groups, options, progress);
  RETURN_IF_ERROR(evaluator.restore(journal.steps().empty() ? 0 : journal.steps().back().weights_version));
  if (journal.steps().empty()) {
    ASSIGN_OR_RETURN(TrajectoryStep first, search.first_step());
    RETURN_IF_ERROR(journal.append(std::move(first)));
  }
  while (true) {
    shown.update(journal.steps().back());
    ASSIGN_OR_RETURN(std::optional<TrajectoryStep> next, search.next_step(journal.steps().back()));
    if (!next) return journal.steps();
    RETURN_IF_ERROR(journal.append(*std::move(next)));
  }
}

}  // namespace concertina::search
