#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "base/page_memory.h"

namespace concertina::kernels {

/// Memory that is lent and comes back, so that a step uses that of the step before. For any number of
/// threads.
class Workspace {
 public:
  /// Memory of its own until it is destroyed; its contents are whatever was there.
  class Loan {
   public:
    Loan(Workspace& owner, std::unique_ptr<PageMemory> memory) : owner_(&owner), memory_(std::move(memory)) {}
    Loan(Loan&&) = default;
    Loan& operator=(Loan&&) = delete;
    ~Loan() {
      if (memory_) owner_->take_back(std::move(memory_));
    }

    /// 64-byte aligned.
    template <typename T>
    T* as() const {
      return static_cast<T*>(memory_->data());
    }

   private:
    Workspace* owner_;
    std::unique_ptr<PageMemory> memory_;
  };

  /// A piece that came back, if there is one of at most twice the size. Otherwise a new one, and others are
  /// given up if there would be much more than was ever lent at once.
  Loan borrow(std::size_t bytes);

 private:
  void take_back(std::unique_ptr<PageMemory> memory);
  std::unique_ptr<PageMemory> find(std::size_t bytes);

  std::mutex mutex_;
  std::vector<std::unique_ptr<PageMemory>> free_;  ///< the longest unused first
  std::size_t lent_ = 0;                           ///< pieces
  std::size_t free_bytes_ = 0, lent_bytes_ = 0, most_lent_ = 0;
};

}  // namespace concertina::kernels
