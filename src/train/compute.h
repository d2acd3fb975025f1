#pragma once

#include <string>

#include "concertina/result.h"
#include "recipe/recipe.h"
#include "train/torch.h"

namespace concertina::train {

/// Where and how finely tensors are computed. Master weights, batch norms and losses stay fp32; with bf16,
/// activations and the weights that meet them are cast, as autocast does.
struct Compute {
  torch::Device device = torch::kCPU;
  torch::ScalarType dtype = torch::kFloat;

  Compute with(Precision precision) const {
    return {device, precision == Precision::bf16 ? torch::kBFloat16 : torch::kFloat};
  }
};

/// `device` is "cpu", "cuda" or "cuda:1". Sets LibTorch's thread count (0 = the cores that the process may
/// use), which is process-wide. Fails if the device is not there.
Result<Compute> make_compute(const std::string& device, int threads);

/// For people: the processor and how many threads of it, or LibTorch's name of the device.
std::string describe(const Compute& compute);

}  // namespace concertina::train
