#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/try.h"
#include "train/rankers/rankers.h"
#include "train/stages/stages.h"
#include "train/tensors.h"

namespace concertina::train {
namespace {

std::string to_json(const Graph& graph, const Importance& importance,
                    const std::vector<std::vector<int>>& orders) {
  nlohmann::json dimensions = nlohmann::json::array();
  for (std::size_t d = 0; d < orders.size(); ++d) {
    dimensions.push_back({{"dimension", graph.layout().dimensions[d].name},
                          {"importance", importance[d]},
                          {"order", orders[d]}});
  }
  return dimensions.dump(1) + "\n";
}

}  // namespace

Result<search::Spending> rank(const Run& run) {
  ASSIGN_OR_RETURN(AveragedWeights weights, run.weights(recipe::Stage::pretrain));
  ASSIGN_OR_RETURN(const Ranking ranking,
                   rank_channels(run, weights.averaged, run.recipe().rank, run.folder(recipe::Stage::rank)));
  if (ranking.weights) weights = *ranking.weights;
  const auto orders = importance_order(ranking.importance);
  const auto sorted = [&](const Tensors& tensors) {
    return to_tensors(permute_channels(run.graph(), to_weights(tensors), orders), torch::kCPU);
  };
  const AveragedWeights result{.latest = sorted(weights.latest), .averaged = sorted(weights.averaged)};
  const auto write = [&]() -> Status {
    RETURN_IF_ERROR(write_file(run.file(recipe::Stage::rank, "ranking.json"),
                               to_json(run.graph(), ranking.importance, orders)));
    return write_checkpoint(run.file(recipe::Stage::rank, "weights.pt"), {.tensors = result.packed()});
  };
  RETURN_IF_ERROR(run.processes().first_does(write));
  return ranking.spent;
}

}  // namespace concertina::train
