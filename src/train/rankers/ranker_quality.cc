#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "base/file.h"
#include "base/hash.h"
#include "base/statistics.h"
#include "base/try.h"
#include "recipe/recipe_fields.h"
#include "train/rankers/rankers.h"
#include "train/search/torch_evaluator.h"

namespace concertina::train {
namespace {

constexpr int kImages = 1000;  // of a removal's loss

/// The pretrained network's validation loss after channels have been removed.
class Removals {
 public:
  static Result<Removals> open(const Run& run, const Tensors& weights, std::filesystem::path file) {
    Removals removals(run, weights, std::move(file));
    if (!std::filesystem::exists(removals.file_)) return removals;
    ASSIGN_OR_RETURN(const std::string text, read_file(removals.file_));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const auto entry = nlohmann::json::parse(line, nullptr, false);
      // What a kill has cut short is measured again.
      if (entry.is_object() && entry.contains("removed") && entry.contains("loss"))
        removals.known_[entry["removed"].get<std::string>()] = entry["loss"].get<double>();
    }
    return removals;
  }

  /// Shows progress from here on: so many removals are asked for.
  void expect(const std::string& task, std::int64_t count) {
    run_->progress().start(task, count);
    asked_ = 0;
  }

  /// Precondition: fewer channels than the dimension has.
  Result<double> loss(int dimension, std::vector<int> channels) {
    run_->progress().update(++asked_, "");
    std::sort(channels.begin(), channels.end());
    const std::string key = fmt::format("{}:{}", dimension, fmt::join(channels, ","));
    if (const auto known = known_.find(key); known != known_.end()) return known->second;
    ASSIGN_OR_RETURN(const double loss, measure(dimension, channels));
    RETURN_IF_ERROR(append_line(file_, nlohmann::json{{"removed", key}, {"loss", loss}}.dump()));
    return known_[key] = loss;
  }

 private:
  Removals(const Run& run, const Tensors& weights, std::filesystem::path file)
      : run_(&run), weights_(to_weights(weights)), file_(std::move(file)) {}

  Result<double> measure(int dimension, const std::vector<int>& channels) const {
    const Graph& graph = run_->graph();
    std::vector<std::vector<int>> orders = importance_order(equal_importance(graph));
    std::vector<int>& order = orders[dimension];
    std::stable_partition(order.begin(), order.end(),
                          [&](int c) { return !std::binary_search(channels.begin(), channels.end(), c); });
    const Tensors sorted = to_tensors(permute_channels(graph, weights_, orders), torch::kCPU);
    ASSIGN_OR_RETURN(TorchEvaluator evaluator, TorchEvaluator::make(*run_, sorted, kImages));
    Subnet subnet = full_subnet(graph);
    subnet.widths[dimension] -= static_cast<int>(channels.size());
    ASSIGN_OR_RETURN(const search::Evaluation evaluation, evaluator.evaluate(subnet));
    return evaluation.loss;
  }

  const Run* run_;
  Weights weights_;
  std::filesystem::path file_;
  std::map<std::string, double> known_;
  std::int64_t asked_ = 0;
};

double mean(const std::vector<double>& values) {
  return spread(values).mean;
}

/// Correlations by dimension of single channels' scores with their removal losses.
Result<std::vector<double>> judge_channels(const Importance& importance, Removals& removals) {
  std::vector<double> correlations;
  for (std::size_t d = 0; d < importance.size(); ++d) {
    if (importance[d].size() < 2) continue;  // its only channel cannot go
    std::vector<double> losses;
    for (int c = 0; c < static_cast<int>(importance[d].size()); ++c) {
      ASSIGN_OR_RETURN(const double loss, removals.loss(static_cast<int>(d), {c}));
      losses.push_back(loss);
    }
    correlations.push_back(spearman(importance[d], losses));
  }
  return correlations;
}

/// The same for the groups of the ranker's own order.
Result<std::vector<double>> judge_groups(const Importance& importance, const ChannelGroups& groups,
                                         Removals& removals) {
  const auto orders = importance_order(importance);
  std::vector<double> correlations;
  for (std::size_t d = 0; d < orders.size(); ++d) {
    std::vector<double> scores, losses;
    const std::vector<int> ends = groups.ends(static_cast<int>(d));
    auto first = orders[d].begin();
    for (std::size_t g = 0; ends.size() > 1 && g < ends.size(); ++g) {
      const auto last = orders[d].begin() + ends[g];
      const std::vector<int> channels(first, last);
      first = last;
      double score = 0;
      for (const int c : channels) score += importance[d][c];
      ASSIGN_OR_RETURN(const double loss, removals.loss(static_cast<int>(d), channels));
      scores.push_back(score);
      losses.push_back(loss);
    }
    if (!scores.empty()) correlations.push_back(spearman(scores, losses));
  }
  return correlations;
}

/// Removals that judging a ranker takes: every channel, and every group of the dimensions that have several.
std::int64_t removal_count(const Importance& importance, const ChannelGroups& groups) {
  std::int64_t count = 0;
  for (std::size_t d = 0; d < importance.size(); ++d) {
    const auto of_groups = static_cast<std::int64_t>(groups.ends(static_cast<int>(d)).size());
    count += static_cast<std::int64_t>(importance[d].size()) + (of_groups > 1 ? of_groups : 0);
  }
  return count;
}

/// Every way to rank, with the recipe's settings else. Of noise both variants.
std::vector<std::pair<std::string, recipe::Recipe::Rank>> all_rankers(const recipe::Recipe::Rank& recipe) {
  std::vector<std::pair<std::string, recipe::Recipe::Rank>> rankers;
  for (const recipe::NoiseVariant variant :
       {recipe::NoiseVariant::log_barrier, recipe::NoiseVariant::plain}) {
    recipe::Recipe::Rank noise = recipe;
    noise.method = recipe::RankMethod::noise;
    noise.variant = variant;
    rankers.emplace_back(
        fmt::format("noise-{}", recipe::kNames<recipe::NoiseVariant>[static_cast<std::size_t>(variant)]),
        noise);
  }
  for (const recipe::RankMethod method :
       {recipe::RankMethod::l1, recipe::RankMethod::input_l1, recipe::RankMethod::norm_scale,
        recipe::RankMethod::taylor, recipe::RankMethod::fisher, recipe::RankMethod::random}) {
    recipe::Recipe::Rank other = recipe;
    other.method = method;
    rankers.emplace_back(recipe::kNames<recipe::RankMethod>[static_cast<std::size_t>(method)], other);
  }
  return rankers;
}

/// Of all that a removal's loss depends on.
std::string removal_fingerprint(const Run& run) {
  Hash hash;
  hash.add(run.fingerprint(recipe::Stage::pretrain)).add(fmt::format("{}", run.recipe().search.norm_batches));
  return fmt::format("{:016x}\n", hash.value());
}

}  // namespace

Result<std::vector<report::RankerQuality>> measure_rankers(const Run& run) {
  ASSIGN_OR_RETURN(const AveragedWeights weights, run.weights(recipe::Stage::pretrain));
  const Tensors& pretrained = weights.averaged;
  const ChannelGroups& groups = run.groups();
  const std::filesystem::path folder = run.folder() / "rankers";
  RETURN_IF_ERROR(run.begin(folder, removal_fingerprint(run)));
  ASSIGN_OR_RETURN(Removals removals, Removals::open(run, pretrained, folder / "removals.jsonl"));
  std::vector<report::RankerQuality> qualities;
  for (const auto& [name, recipe] : all_rankers(run.recipe().rank)) {
    if (recipe.method == recipe::RankMethod::noise)
      RETURN_IF_ERROR(run.begin(folder / name, recipe::table_to_toml(run.recipe(), "rank")));
    ASSIGN_OR_RETURN(const Ranking ranking, rank_channels(run, pretrained, recipe, folder / name));
    report::RankerQuality quality{
        .ranker = name, .channels = 0, .groups = 0, .by_dimension = {}, .macs = ranking.spent.macs};
    removals.expect(fmt::format("judge {}", name), removal_count(ranking.importance, groups));
    ASSIGN_OR_RETURN(quality.by_dimension, judge_channels(ranking.importance, removals));
    ASSIGN_OR_RETURN(const auto by_group, judge_groups(ranking.importance, groups, removals));
    quality.channels = mean(quality.by_dimension);
    quality.groups = mean(by_group);
    run.progress().message(fmt::format("rankers: {}: {:.3f} for channels, {:.3f} for groups", name,
                                       quality.channels, quality.groups));
    qualities.push_back(std::move(quality));
  }
  return qualities;
}

}  // namespace concertina::train
