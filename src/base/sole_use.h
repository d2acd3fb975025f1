#pragma once

#include <atomic>
#include <string>

#include "concertina/result.h"

namespace concertina {

/// Notices a second thread in an object that is for one thread at a time:
///
///   const SoleUse::Turn turn(use_);
///   if (!turn) return SoleUse::taken("session");
///
/// A turn costs one atomic exchange. It neither allocates nor waits.
class SoleUse {
 public:
  /// The caller's turn, until the end of the scope.
  class Turn {
   public:
    explicit Turn(SoleUse& use)
        : use_(use.taken_.exchange(true, std::memory_order_acquire) ? nullptr : &use) {}
    ~Turn() {
      if (use_ != nullptr) use_->taken_.store(false, std::memory_order_release);
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    /// False while another thread has the turn.
    explicit operator bool() const { return use_ != nullptr; }

   private:
    SoleUse* use_;
  };

  /// Why a call is refused; `what` the object is ("session").
  static Error taken(const std::string& what) {
    return Error{"another thread is using this " + what + "; give each thread its own"};
  }

 private:
  std::atomic<bool> taken_{false};
};

}  // namespace concertina
