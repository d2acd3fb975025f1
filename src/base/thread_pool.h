#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <vector>

namespace concertina {

/// A fixed set of threads that share the indices of one loop at a time. The calling thread works too, so a
/// pool of one thread starts none. Not re-entrant: one caller at a time, and no loop inside a loop.
class ThreadPool {
 public:
  /// Precondition: threads >= 1. Throws std::system_error if the system refuses that many.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls body(i) once for each i in [0, count), in any order, and returns when all are done. Does not
  /// allocate. `body` must not throw.
  template <typename Body>
  void parallel_for(int count, Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    run({count, [](void* context, int i) { (*static_cast<Plain*>(context))(i); },
         const_cast<std::remove_const_t<Plain>*>(&body)});
  }

 private:
  struct Loop {
    int count = 0;
    void (*call)(void* context, int i) = nullptr;
    void* context = nullptr;
  };

  void stop();
  void run(const Loop& loop);
  void work();
  void take_indices();

  Loop loop_;
  std::atomic<int> next_{0};
  std::atomic<int> busy_{0};
  std::atomic<std::uint32_t> generation_{0};
  std::atomic<bool> stopping_{false};
  std::vector<std::jthread> workers_;
};

}  // namespace concertina
