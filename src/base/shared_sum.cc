#include "base/shared_sum.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <new>
#include <thread>

namespace concertina {
namespace {

constexpr std::size_t kLine = 64;

/// What one process shows the others. It writes the sums in turn to two places: one that has begun the sum
/// after the next has seen all others begin the next, so they have read what it overwrites.
struct Part {
  alignas(kLine) std::atomic<std::uint64_t> sums{0};  ///< whose values are there
  alignas(kLine) double values[2][SharedSum::kMostValues];
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

class MappedSum final : public SharedSum {
 public:
  MappedSum(void* memory, int processes) : parts_(static_cast<Part*>(memory)), count_(processes) {
    for (int i = 0; i < count_; ++i) new (parts_ + i) Part;
  }
  ~MappedSum() override { ::munmap(parts_, bytes(count_)); }

  static std::size_t bytes(int processes) { return static_cast<std::size_t>(processes) * sizeof(Part); }

  void add_up(int rank, std::span<double> values) override {
    Part& mine = parts_[rank];
    const std::uint64_t number = mine.sums.load(std::memory_order_relaxed) + 1;
    std::copy(values.begin(), values.end(), mine.values[number % 2]);
    mine.sums.store(number, std::memory_order_release);
    std::fill(values.begin(), values.end(), 0.0);
    for (int other = 0; other < count_; ++other) {
      wait_for(parts_[other].sums, number);
      const double* theirs = parts_[other].values[number % 2];
      for (std::size_t i = 0; i < values.size(); ++i) values[i] += theirs[i];
    }
  }

 private:
  static void wait_for(const std::atomic<std::uint64_t>& sums, std::uint64_t number) {
    constexpr int kLooks = 1000;  // before others may have the core
    for (int i = 0; sums.load(std::memory_order_acquire) < number; ++i) {
      if (i >= kLooks) std::this_thread::yield();
    }
  }

  Part* parts_;
  int count_;
};

}  // namespace

Result<std::shared_ptr<SharedSum>> SharedSum::make(int processes) {
  void* const memory =
      ::mmap(nullptr, MappedSum::bytes(processes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return Error{fmt::format("no memory can be shared between {} processes: {}", processes, strerror(errno))};
  }
  return std::shared_ptr<SharedSum>(std::make_shared<MappedSum>(memory, processes));
}

}  // namespace concertina
