#include "base/shared_sum.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>
#include <thread>
#include <utility>

#include "base/file.h"

namespace concertina {
namespace {

constexpr std::size_t kLine = 64;

/// What one process shows the others. It writes to two places in turn: one that has begun the sum after the
/// next has seen all others begin the next, so they have read what it overwrites.
struct Part {
  alignas(kLine) std::atomic<std::uint64_t> given{0};   ///< sums whose values are in their place
  alignas(kLine) std::atomic<std::uint64_t> summed{0};  ///< sums of which this process's slice is done
  alignas(kLine) std::byte places[2][SharedSum::kPlaceBytes];
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// The name of a file, gone with this at the latest.
class Name {
 public:
  explicit Name(std::string path) : path_(std::move(path)) {}
  Name(Name&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Name& operator=(Name&&) = delete;
  ~Name() { remove(); }

  void remove() {
    if (!path_.empty()) ::unlink(std::exchange(path_, {}).c_str());
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A lock of one byte of a file, which its process holds until it ends.
struct flock lock_of(std::size_t rank) {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(rank);
  lock.l_len = 1;
  return lock;
}

class MappedSum final : public SharedSum {
 public:
  MappedSum(Descriptor file, Name name, void* memory, std::size_t rank, std::size_t count)
      : file_(std::move(file)),
        name_(std::move(name)),
        parts_(static_cast<Part*>(memory)),
        rank_(rank),
        count_(count) {}
  ~MappedSum() override { ::munmap(parts_, bytes(count_)); }

  static std::size_t bytes(std::size_t processes) { return processes * sizeof(Part); }

  const std::string& name() const override { return name_.path(); }
  void hide() override { name_.remove(); }

  bool add_up(std::span<double> values) override { return in_parts(values); }
  bool add_up(std::span<float> values) override { return in_parts(values); }
  bool add_up(std::span<std::int32_t> values) override { return in_parts(values); }

 private:
  template <typename T>
  bool in_parts(std::span<T> values) {
    constexpr std::size_t kMost = kPlaceBytes / sizeof(T);
    bool whole = true;
    for (std::size_t i = 0; whole && i < values.size(); i += kMost)
      whole = one_part(values.subspan(i, std::min(kMost, values.size() - i)));
    return whole;
  }

  /// Each process adds up one slice of the values, and shows it where its own values of the slice were, which
  /// nobody else reads.
  template <typename T>
  bool one_part(std::span<T> values) {
    Part& mine = parts_[rank_];
    const std::uint64_t number = mine.given.load(std::memory_order_relaxed) + 1;
    const auto place = [&](std::size_t process) {
      return std::span(reinterpret_cast<T*>(parts_[process].places[number % 2]), values.size());
    };
    std::ranges::copy(values, place(rank_).begin());
    mine.given.store(number, std::memory_order_release);
    const std::span<T> sums = slice(values, rank_);
    std::ranges::fill(sums, T{0});
    for (std::size_t process = 0; process < count_; ++process) {
      if (!wait_for(process, parts_[process].given, number)) return false;
      const std::span<const T> theirs = slice(place(process), rank_);
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += theirs[i];
    }
    std::ranges::copy(sums, slice(place(rank_), rank_).begin());
    mine.summed.store(number, std::memory_order_release);
    for (std::size_t process = 0; process < count_; ++process) {
      if (!wait_for(process, parts_[process].summed, number)) return false;
      std::ranges::copy(slice(place(process), process), slice(values, process).begin());
    }
    return true;
  }

  template <typename T>
  std::span<T> slice(std::span<T> values, std::size_t process) const {
    const std::size_t begin = values.size() * process / count_;
    return values.subspan(begin, values.size() * (process + 1) / count_ - begin);
  }

  /// Whether the process has come so far; otherwise it has ended.
  bool wait_for(std::size_t process, const std::atomic<std::uint64_t>& sums, std::uint64_t number) const {
    constexpr std::uint64_t kLooks = 1000;    // before others may have the core
    constexpr std::uint64_t kDoubts = 20000;  // looks before it may have ended
    const auto here = [&] { return sums.load(std::memory_order_acquire) >= number; };
    for (std::uint64_t i = 1; !here(); ++i) {
      if (i >= kLooks) std::this_thread::yield();
      if (i % kDoubts == 0 && !lives(process)) return here();
    }
    return true;
  }

  bool lives(std::size_t process) const {
    struct flock lock = lock_of(process);
    return ::fcntl(file_.get(), F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
  }

  Descriptor file_;
  Name name_;
  Part* parts_;
  std::size_t rank_, count_;
};

Error cannot_share(int error) {
  return Error{fmt::format("this machine's processes cannot share memory: {}", strerror(error))};
}

Result<std::shared_ptr<SharedSum>> map(Descriptor file, Name name, int rank, int processes) {
  const auto place = static_cast<std::size_t>(rank), count = static_cast<std::size_t>(processes);
  const struct flock lock = lock_of(place);
  if (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0) return cannot_share(errno);
  void* const memory =
      ::mmap(nullptr, MappedSum::bytes(count), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) return cannot_share(errno);
  if (rank == 0)
    for (std::size_t i = 0; i < count; ++i) new (static_cast<Part*>(memory) + i) Part;
  return std::shared_ptr<SharedSum>(
      std::make_shared<MappedSum>(std::move(file), std::move(name), memory, place, count));
}

}  // namespace

Result<std::shared_ptr<SharedSum>> SharedSum::make(int processes) {
  std::string path = "/dev/shm/concertina-XXXXXX";
  Descriptor file(::mkostemp(path.data(), O_CLOEXEC));
  if (!file.valid()) return cannot_share(errno);
  Name name(path);
  const std::size_t bytes = MappedSum::bytes(static_cast<std::size_t>(processes));
  // Otherwise the use of memory that is not there would end the process.
  const int error = ::posix_fallocate(file.get(), 0, static_cast<off_t>(bytes));
  if (error != 0) return cannot_share(error);
  return map(std::move(file), std::move(name), 0, processes);
}

Result<std::shared_ptr<SharedSum>> SharedSum::join(const std::string& name, int rank, int processes) {
  Descriptor file(::open(name.c_str(), O_RDWR | O_CLOEXEC));
  if (!file.valid()) return cannot_share(errno);
  return map(std::move(file), Name({}), rank, processes);
}

}  // namespace concertina
