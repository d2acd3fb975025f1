#include "kernels/training/workspace.h"

#include <algorithm>

namespace concertina::kernels {
namespace {

/// Sizes are rounded up so that they meet again: sub-nets differ a little.
std::size_t rounded(std::size_t bytes) {
  constexpr std::size_t kUnit = 4096;
  std::size_t unit = kUnit;
  while (unit * 8 < bytes) unit *= 2;
  return std::max(kUnit, (bytes + unit - 1) / unit * unit);
}

}  // namespace

Workspace::Loan Workspace::borrow(std::size_t bytes) {
  const std::size_t size = rounded(bytes);
  std::unique_ptr<PageMemory> memory = find(size);
  if (!memory) memory = std::make_unique<PageMemory>(size);
  const std::lock_guard lock(mutex_);
  lent_ += 1;
  lent_bytes_ += memory->size();
  most_lent_ = std::max(most_lent_, lent_bytes_);
  free_.reserve(free_.size() + lent_);  // so that nothing fails when it comes back
  return {*this, std::move(memory)};
}

std::unique_ptr<PageMemory> Workspace::find(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  // Of the smallest that will do, the latest: it is the most likely to be in a cache.
  auto best = free_.end();
  for (auto it = free_.begin(); it != free_.end(); ++it) {
    const std::size_t size = (*it)->size();
    if (size >= bytes && size <= 2 * bytes && (best == free_.end() || size <= (*best)->size())) best = it;
  }
  if (best != free_.end()) {
    std::unique_ptr<PageMemory> found = std::move(*best);
    free_.erase(best);
    free_bytes_ -= found->size();
    return found;
  }
  const std::size_t most = std::max(most_lent_, lent_bytes_ + bytes);
  while (!free_.empty() && free_bytes_ + lent_bytes_ + bytes > most + most / 4) {
    free_bytes_ -= free_.front()->size();
    free_.erase(free_.begin());
  }
  return nullptr;
}

void Workspace::take_back(std::unique_ptr<PageMemory> memory) {
  const std::lock_guard lock(mutex_);
  lent_ -= 1;
  lent_bytes_ -= memory->size();
  free_bytes_ += memory->size();
  free_.push_back(std::move(memory));
}

}  // namespace concertina::kernels
