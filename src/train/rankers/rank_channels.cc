#include "train/rankers/rankers.h"

namespace concertina::train {

Result<Ranking> rank_channels(const Run& run, const Tensors& weights, const recipe::Recipe::Rank& recipe,
                              const std::filesystem::path& folder) {
  const Graph& graph = run.graph();
  switch (recipe.method) {
    case recipe::RankMethod::noise:
      return noise_ranking(run, recipe, folder);
    case recipe::RankMethod::l1:
      return Ranking{filter_l1_importance(graph, weights)};
    case recipe::RankMethod::input_l1:
      return Ranking{input_l1_importance(graph, weights)};
    case recipe::RankMethod::norm_scale:
      return Ranking{norm_scale_importance(graph, weights)};
    case recipe::RankMethod::taylor:
      return taylor_ranking(run, weights);
    case recipe::RankMethod::fisher:
      return fisher_ranking(run, weights);
    case recipe::RankMethod::random:
      return Ranking{random_importance(graph, run.seed(recipe::Stage::rank))};
    case recipe::RankMethod::none:
      return Ranking{equal_importance(graph)};
  }
  return Ranking{};
}

}  // namespace concertina::train
