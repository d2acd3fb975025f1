#include "train/rankers/rankers.h"

namespace concertina::train {

Result<Ranking> rank_channels(const Run& run, const Tensors& weights, const Recipe::Rank& recipe,
                              const std::filesystem::path& folder) {
  const Graph& graph = run.graph();
  switch (recipe.method) {
    case RankMethod::noise:
      return noise_ranking(run, weights, recipe, folder);
    case RankMethod::l1:
      return Ranking{filter_l1_importance(graph, weights)};
    case RankMethod::input_l1:
      return Ranking{input_l1_importance(graph, weights)};
    case RankMethod::norm_scale:
      return Ranking{norm_scale_importance(graph, weights)};
    case RankMethod::taylor:
      return taylor_ranking(run, weights);
    case RankMethod::fisher:
      return fisher_ranking(run, weights);
    case RankMethod::random:
      return Ranking{random_importance(graph, run.seed(Stage::rank))};
    case RankMethod::none:
      return Ranking{equal_importance(graph)};
  }
  return Ranking{};
}

}  // namespace concertina::train
