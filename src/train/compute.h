#pragma once

#include <string>

#include "concertina/result.h"
#include "recipe/recipe.h"
#include "train/distributed/processes.h"
#include "train/supernet/conv_kind.h"
#include "train/torch.h"

namespace concertina::train {

/// Where, with whom and how finely tensors are computed. Master weights, batch norms and losses stay fp32;
/// with bf16, activations and the weights that meet them are cast, as autocast does.
struct Compute {
  torch::Device device = torch::kCPU;
  torch::ScalarType dtype = torch::kFloat;
  bool fake_int8 = false;  ///< convolutions and linear layers multiply what int8 holds (fake_int8.h)
  Processes processes = {};
  ConvChoice convolutions = {};

  Compute with(Precision precision) const {
    Compute other = *this;
    other.dtype = precision == Precision::bf16 ? torch::kBFloat16 : torch::kFloat;
    return other;
  }
};

/// `device` is "cpu", "cuda" or "cuda:1"; of several processes each takes the CUDA device of its number. Sets
/// LibTorch's thread count (0 = the cores that the process may use, or its share of them), which is
/// process-wide. Meets the other processes. Fails if they or the device are not there.
Result<Compute> make_compute(const std::string& device, int threads, const Place& place = {});

/// For people: the processor and how many threads of it, or LibTorch's name of the device, and how many
/// processes.
std::string describe(const Compute& compute);

}  // namespace concertina::train
