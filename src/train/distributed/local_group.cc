#include "train/distributed/local_group.h"

#include <fmt/format.h>

#include "train/distributed/processes.h"

namespace concertina::train {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr const char* kName = "shared memory";

/// The first process tells the others the name, or none.
Result<std::shared_ptr<SharedSum>> make_or_join(const Place& place, const compat::Store& store) {
  if (place.rank == 0) {
    auto made = SharedSum::make(place.count);
    const std::string name = made ? (*made)->name() : "";
    store->set(kName, Bytes(name.begin(), name.end()));
    return made;
  }
  const Bytes name = store->get(kName);
  return SharedSum::join({name.begin(), name.end()}, place.rank, place.count);
}

template <typename T>
bool add_up_values(SharedSum& shared_sum, const torch::Tensor& tensor) {
  if (shared_sum.add_up(std::span(tensor.data_ptr<T>(), static_cast<std::size_t>(tensor.numel()))))
    return true;
  throw LostProcess("a process of this machine has ended");
}

c10::intrusive_ptr<c10d::Work> done(const std::vector<torch::Tensor>& tensors) {
  auto future = c10::make_intrusive<c10::ivalue::Future>(c10::ListType::create(c10::TensorType::get()));
  future->markCompleted(tensors);
  return c10d::Work::create_from_future(future);
}

}  // namespace

std::shared_ptr<SharedSum> share_memory(const Place& place, const compat::Store& store) {
  if (place.local_count < place.count) return nullptr;
  auto mine = make_or_join(place, store);
  const auto key = [](int rank) { return fmt::format("{}, process {}", kName, rank); };
  store->set(key(place.rank), Bytes{mine.ok()});
  bool all = true;
  for (int rank = 0; rank < place.count; ++rank) all = store->get(key(rank)).at(0) == 1 && all;
  if (!all) return nullptr;
  (*mine)->hide();
  return *mine;
}

bool add_up(SharedSum& shared_sum, const torch::Tensor& tensor) {
  if (!tensor.is_cpu() || !tensor.is_contiguous()) return false;
  if (tensor.scalar_type() == torch::kFloat) return add_up_values<float>(shared_sum, tensor);
  if (tensor.scalar_type() == torch::kDouble) return add_up_values<double>(shared_sum, tensor);
  if (tensor.scalar_type() == torch::kInt) return add_up_values<std::int32_t>(shared_sum, tensor);
  return false;
}

c10::intrusive_ptr<c10d::Work> LocalGroup::allreduce(std::vector<torch::Tensor>& tensors,
                                                     const c10d::AllreduceOptions& options) {
  c10d::ReduceOp how = options.reduceOp;
  const bool one_sum = how == c10d::ReduceOp::SUM && tensors.size() == 1;
  if (one_sum && add_up(*shared_sum_, tensors[0])) return done(tensors);
  return ProcessGroupGloo::allreduce(tensors, options);
}

}  // namespace concertina::train
