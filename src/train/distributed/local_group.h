#pragma once

#include <memory>
#include <utility>

#include "base/shared_sum.h"
#include "train/distributed/dist_compat.h"
#include "train/distributed/place.h"

namespace concertina::train {

/// The shared memory of processes that are all on one machine; null if they are not, or it cannot be had.
/// Each process waits for the others.
std::shared_ptr<SharedSum> share_memory(const Place& place, const compat::Store& store);

/// Adds up a tensor over processes that share memory, in place. False where it is not for this, which is for
/// contiguous tensors on the CPU of the types that SharedSum has. Throws LostProcess.
bool add_up(SharedSum& shared_sum, const torch::Tensor& tensor);

/// Gloo between processes of one machine, whose sums go through memory that they share. They are done when
/// allreduce() returns.
class LocalGroup final : public c10d::ProcessGroupGloo {
 public:
  LocalGroup(const compat::Store& store, int rank, int count, const c10::intrusive_ptr<Options>& options,
             std::shared_ptr<SharedSum> shared_sum)
      : ProcessGroupGloo(store, rank, count, options), shared_sum_(std::move(shared_sum)) {}

  c10::intrusive_ptr<c10d::Work> allreduce(std::vector<torch::Tensor>& tensors,
                                           const c10d::AllreduceOptions& options) override;

 private:
  std::shared_ptr<SharedSum> shared_sum_;
};

}  // namespace concertina::train
