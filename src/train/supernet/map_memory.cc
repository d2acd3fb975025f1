#include "train/supernet/map_memory.h"

namespace concertina::train {
namespace {

/// Gives the loan back before it lets go of whose it is.
struct Lent {
  MapMemory memory;
  kernels::Workspace::Loan loan;
};

}  // namespace

torch::Tensor empty_map(const MapMemory& memory, at::IntArrayRef sizes, torch::Dtype dtype) {
  const std::int64_t n = sizes[0], channels = sizes[1], h = sizes[2], w = sizes[3];
  const auto bytes = static_cast<std::size_t>(n * channels * h * w) * c10::elementSize(dtype);
  const auto lent = std::make_shared<Lent>(Lent{memory, memory->borrow(bytes)});
  return torch::from_blob(
      lent->loan.as<void>(), sizes, {h * w * channels, 1, w * channels, channels}, [lent](void*) {},
      torch::TensorOptions(dtype));
}

}  // namespace concertina::train
