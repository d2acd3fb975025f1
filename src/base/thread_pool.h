#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

namespace concertina {

/// A fixed set of threads that share the indices of one loop at a time. Each begins with its own part, the
/// same in every loop of one count, so that it finds what it made itself in its cache; who has finished takes
/// over from the others. The calling thread works too, as thread 0, so a pool of one thread starts none, and
/// it waits for nobody who has not begun: on a busy machine it does the work alone. All compute in the
/// caller's FloatMode. Not re-entrant: one caller at a time, and no loop inside a loop.
class ThreadPool {
 public:
  /// Precondition: threads >= 1. Throws std::system_error if the system refuses that many.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return size_; }

  /// Calls body(i) or body(i, thread) once for each i in [0, count), in any order, and returns when all are
  /// done; thread is in [0, size()). Does not allocate. `body` must not throw.
  template <typename Body>
  void parallel_for(int count, Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    const Call call = [](void* context, int i, int thread) {
      if constexpr (std::is_invocable_v<Plain&, int, int>) {
        (*static_cast<Plain*>(context))(i, thread);
      } else {
        (*static_cast<Plain*>(context))(i);
      }
    };
    run(count, call, const_cast<std::remove_const_t<Plain>*>(&body));
  }

 private:
  using Call = void (*)(void* context, int i, int thread);

  /// A number that belongs to one loop: it in the upper half, the number in the lower.
  using Tagged = std::uint64_t;

  struct Loop {
    std::uint32_t tag = 0;
    int count = 0;
    Call call = nullptr;
    void* context = nullptr;
    std::uint32_t float_mode = 0;  ///< not of the caller's own loop
  };

  struct Fields {
    std::atomic<Call> call{nullptr};
    std::atomic<void*> context{nullptr};
    std::atomic<int> count{0};
    std::atomic<std::uint32_t> float_mode{0};
  };

  /// What the caller tells. One line, because it crosses from core to core in every loop.
  struct alignas(64) Announcement {
    Fields fields[2];  ///< of loops with even and with odd tags
    std::atomic<std::uint32_t> tag{0};
  };

  struct alignas(64) Part {
    std::atomic<Tagged> next{0};      ///< the first of the thread's own indices that nobody has taken
    std::atomic<Tagged> finished{0};  ///< indices that the thread has done
  };

  void stop();
  void run(int count, Call call, void* context);
  void work(int thread);
  int do_indices(const Loop& loop, int thread);
  bool take(const Loop& loop, int thread, int part, int& index);
  int part_begin(int count, int thread) const;
  std::int64_t finished(std::uint32_t tag) const;

  const int size_;
  Announcement announced_;
  std::unique_ptr<Part[]> parts_;
  std::atomic<bool> stopping_{false};
  std::vector<std::jthread> workers_;
};

}  // namespace concertina
