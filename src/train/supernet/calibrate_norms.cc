#include "train/supernet/calibrate_norms.h"

#include "base/try.h"
#include "train/supernet/evaluation.h"

namespace concertina::train {

Result<Tensors> calibrate_norms(const Graph& graph, Tensors arrays, const std::vector<InsertedNorm>& norms,
                                const Compute& compute, const ImageBatches& images,
                                std::span<const std::int64_t> indices, int batch) {
  if (norms.empty()) return arrays;
  for (auto& [name, tensor] : arrays) tensor = tensor.to(compute.device);
  ASSIGN_OR_RETURN(const Supernet net, Supernet::make(graph, arrays, compute.with(Precision::fp32)));
  const Tensors statistics =
      collect_statistics(net, full_subnet(graph), {.statistics = &arrays}, images, indices, batch);
  RETURN_IF_ERROR(images.status());
  for (const auto& [conv, norm] : norms) {
    const torch::Tensor mean = statistics.at(norm + ".running_mean");
    const torch::Tensor variance = statistics.at(norm + ".running_var");
    arrays[norm + ".running_mean"] = mean;
    arrays[norm + ".running_var"] = variance;
    arrays[norm + ".weight"] = torch::sqrt(variance + op::BatchNorm{}.epsilon);
    arrays[norm + ".bias"] = mean;
  }
  return arrays;
}

}  // namespace concertina::train
