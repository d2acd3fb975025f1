#include "train/joint/joint_weights.h"

#include <fmt/format.h>

#include "base/try.h"
#include "train/checkpoint.h"

namespace concertina::train {

std::filesystem::path joint_checkpoint(const Run& run, std::size_t subnet) {
  if (run.recipe().joint.method == recipe::JointMethod::together)
    return run.file(recipe::Stage::joint, "checkpoint.pt");
  return run.file(recipe::Stage::joint, fmt::format("alone-{}.pt", subnet));
}

Result<Tensors> read_joint_weights(const Run& run, std::size_t subnet) {
  ASSIGN_OR_RETURN(Checkpoint trained, read_checkpoint(joint_checkpoint(run, subnet)));
  Tensors averages;
  for (const auto& [name, tensor] : trained.tensors) {
    if (name.starts_with("ema.")) averages[name.substr(4)] = tensor;
  }
  return averages.empty() ? std::move(trained.tensors) : averages;
}

}  // namespace concertina::train
