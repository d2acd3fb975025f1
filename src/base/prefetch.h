#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "base/clock.h"

namespace concertina {

/// The items 0, 1, 2, ..., which a thread of its own makes ahead, so that whoever takes them need not wait.
/// For one taking thread.
template <typename Item>
class Prefetch {
 public:
  using Make = std::function<Item(std::int64_t number)>;

  /// The other thread calls make(i) once for each i in [0, count), in this order. At most `ahead` items have
  /// been made, or are being made, and not been taken. The clock must outlive this. Precondition: ahead >= 1.
  /// Throws std::system_error if the system refuses the thread.
  Prefetch(std::int64_t count, std::size_t ahead, Make make, const Clock& clock)
      : ahead_(ahead), make_(std::move(make)), clock_(&clock), maker_([this, count] { make_all(count); }) {}

  /// Waits for the item that is being made, and drops all that nobody has taken.
  ~Prefetch() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    taken_.notify_one();
    maker_.join();
  }
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

  /// The next item, as soon as it is ready. Throws what its making has thrown, and does so again each time.
  /// Precondition: fewer than `count` have been taken.
  Item take() {
    std::unique_lock lock(mutex_);
    if (ready_.empty() && !failure_) wait(lock);
    if (ready_.empty()) std::rethrow_exception(failure_);
    Item item = std::move(ready_.front());
    ready_.pop_front();
    lock.unlock();
    taken_.notify_one();
    return item;
  }

  /// How long take() has waited in all. For the taking thread.
  Time waited() const { return waited_; }

 private:
  void wait(std::unique_lock<std::mutex>& lock) {
    const Time started = clock_->now();
    made_.wait(lock, [this] { return !ready_.empty() || failure_; });
    waited_ += clock_->now() - started;
  }

  void make_all(std::int64_t count) {
    try {
      for (std::int64_t i = 0; i < count && has_room(); ++i) put(make_(i));
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
    }
    made_.notify_one();
  }

  /// Waits until another item may be made; false if none is wanted any more.
  bool has_room() {
    std::unique_lock lock(mutex_);
    taken_.wait(lock, [this] { return stopping_ || ready_.size() < ahead_; });
    return !stopping_;
  }

  void put(Item item) {
    {
      const std::lock_guard lock(mutex_);
      ready_.push_back(std::move(item));
    }
    made_.notify_one();
  }

  const std::size_t ahead_;
  const Make make_;
  const Clock* clock_;
  Time waited_{0};
  std::mutex mutex_;
  std::condition_variable made_, taken_;
  std::deque<Item> ready_;
  std::exception_ptr failure_;
  bool stopping_ = false;
  std::thread maker_;  // last: it uses all others
};

}  // namespace concertina
