#include "base/thread_pool.h"

#include "base/float_mode.h"

namespace concertina {
namespace {

// Loops follow each other within microseconds while a network runs; a futex sleep costs more than that, so a
// worker looks a bounded number of times before it sleeps, and an idle pool uses no processor time.
constexpr int kLooksBeforeSleep = 4000;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

void wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  for (int i = 0; i < kLooksBeforeSleep; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
  }
  value.wait(old, std::memory_order_acquire);
}

constexpr std::uint64_t tagged(std::uint32_t tag, int number) {
  return std::uint64_t{tag} << 32 | static_cast<std::uint32_t>(number);
}
constexpr std::uint32_t tag_of(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32);
}
constexpr int number_of(std::uint64_t value) {
  return static_cast<int>(static_cast<std::uint32_t>(value));
}

}  // namespace

ThreadPool::ThreadPool(int threads)
    : size_(threads), parts_(std::make_unique<Part[]>(static_cast<std::size_t>(threads))) {
  try {
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this, i] { work(i); });
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
  announced_.tag.fetch_add(
      1);  // sequentially consistent: a worker that goes to sleep meanwhile must be woken
  announced_.tag.notify_all();
}

int ThreadPool::part_begin(int count, int thread) const {
  return static_cast<int>(std::int64_t{count} * thread / size_);
}

void ThreadPool::run(int count, Call call, void* context) {
  if (size_ == 1 || count <= 1) {
    for (int i = 0; i < count; ++i) call(context, i, 0);
    return;
  }
  const std::uint32_t tag = announced_.tag.load(std::memory_order_relaxed) + 1;
  Fields& fields = announced_.fields[tag % 2];
  fields.count.store(count, std::memory_order_release);
  fields.call.store(call, std::memory_order_release);
  fields.context.store(context, std::memory_order_release);
  fields.float_mode.store(FloatMode::current().bits(), std::memory_order_release);
  announced_.tag.store(tag, std::memory_order_release);
  announced_.tag.notify_all();  // may miss a worker that is just going to sleep; then the others do its part
  const int left = count - do_indices({.tag = tag, .count = count, .call = call, .context = context}, 0);
  // Workers are at what is left; one may have lost its processor.
  for (int looks = 0; finished(tag) != left; ++looks) {
    if (looks < kLooksBeforeSleep) {
      pause();
    } else {
      std::this_thread::yield();
    }
  }
}

std::int64_t ThreadPool::finished(std::uint32_t tag) const {
  std::int64_t sum = 0;
  for (int i = 1; i < size_; ++i) {
    const Tagged value = parts_[i].finished.load(std::memory_order_acquire);
    if (tag_of(value) == tag) sum += number_of(value);
  }
  return sum;
}

void ThreadPool::work(int thread) {
  std::uint32_t seen = 0;
  while (true) {
    wait_while(announced_.tag, seen);
    const std::uint32_t tag = announced_.tag.load(std::memory_order_acquire);
    if (stopping_) return;  // asked after the tag is read, because a stopping pool's last tag has no loop
    const Fields& fields = announced_.fields[tag % 2];
    const Loop loop{.tag = tag,
                    .count = fields.count.load(std::memory_order_acquire),
                    .call = fields.call.load(std::memory_order_acquire),
                    .context = fields.context.load(std::memory_order_acquire),
                    .float_mode = fields.float_mode.load(std::memory_order_acquire)};
    // The caller writes these fields again two loops later: under the same tag they belong together.
    if (announced_.tag.load(std::memory_order_relaxed) != tag) continue;
    seen = tag;
    FloatMode::of_bits(loop.float_mode).set();
    const int done = do_indices(loop, thread);
    if (done > 0) {
      parts_[thread].finished.store(tagged(tag, done), std::memory_order_release);
    }
  }
}

int ThreadPool::do_indices(const Loop& loop, int thread) {
  int done = 0;
  for (int i = 0; i < size_; ++i) {
    for (int index = 0; take(loop, thread, (thread + i) % size_, index); ++done) {
      loop.call(loop.context, index, thread);
    }
  }
  return done;
}

/// False if the part has no index left. A worker may come when its loop is over: then every part is used
/// up, or has the tag of a later loop.
bool ThreadPool::take(const Loop& loop, int thread, int part, int& index) {
  std::atomic<Tagged>& next = parts_[part].next;
  const int end = part_begin(loop.count, part + 1);
  Tagged old = next.load(std::memory_order_relaxed);
  while (true) {
    const std::uint32_t ahead = loop.tag - tag_of(old);
    const bool later = thread != 0 && ahead > 0x7fffffff;  // the caller's own loop is the latest
    if (later) return false;
    index = ahead == 0 ? number_of(old) : part_begin(loop.count, part);
    if (index >= end) return false;
    if (next.compare_exchange_weak(old, tagged(loop.tag, index + 1), std::memory_order_acq_rel)) return true;
  }
}

}  // namespace concertina
