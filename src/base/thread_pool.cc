#include "base/thread_pool.h"

namespace concertina {
namespace {

// Loops follow each other within microseconds while a network runs; a futex sleep costs more than that, so a
// waiter looks a bounded number of times before it sleeps, and an idle pool uses no processor time.
constexpr int kLooksBeforeSleep = 4000;

template <typename T>
void wait_while(const std::atomic<T>& value, T old) {
  for (int i = 0; i < kLooksBeforeSleep; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  try {
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
  } catch (...) {
    stop();  // or the threads that did start would be joined for ever
    throw;
  }
}

ThreadPool::~ThreadPool() {
  stop();
}

void ThreadPool::stop() {
  stopping_ = true;
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
}

void ThreadPool::run(const Loop& loop) {
  if (workers_.empty() || loop.count <= 1) {
    for (int i = 0; i < loop.count; ++i) loop.call(loop.context, i);
    return;
  }
  loop_ = loop;
  next_.store(0, std::memory_order_relaxed);
  busy_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  take_indices();
  // Every worker answers every loop, so none can still be reading loop_ when the next one is written.
  for (int left; (left = busy_.load(std::memory_order_acquire)) != 0;) wait_while(busy_, left);
}

void ThreadPool::work() {
  std::uint32_t seen = 0;
  while (true) {
    wait_while(generation_, seen);
    if (stopping_) return;
    ++seen;
    take_indices();
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_one();
  }
}

void ThreadPool::take_indices() {
  for (int i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < loop_.count;)
    loop_.call(loop_.context, i);
}

}  // namespace concertina
