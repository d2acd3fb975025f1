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
  ASSIGN_OR_RETURN(const Checkpoint pretrained,
                   read_checkpoint(run.file(recipe::Stage::pretrain, "checkpoint.pt")));
  ASSIGN_OR_RETURN(const auto measured, rank_channels(run, pretrained.tensors, run.recipe().rank,
                                                      run.folder(recipe::Stage::rank)));
  const auto& [importance, spent] = measured;
  const auto orders = importance_order(importance);
  const Weights sorted = permute_channels(run.graph(), to_weights(pretrained.tensors), orders);
  RETURN_IF_ERROR(
      write_file(run.file(recipe::Stage::rank, "ranking.json"), to_json(run.graph(), importance, orders)));
  RETURN_IF_ERROR(write_checkpoint(
      run.file(recipe::Stage::rank, "weights.pt"),
      {.epochs = pretrained.epochs, .tensors = to_tensors(sorted, torch::kCPU), .optimizers = {}}));
  return spent;
}

}  // namespace concertina::train
