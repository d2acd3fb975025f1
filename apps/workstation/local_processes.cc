#include "workstation/local_processes.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "common/interruption.h"
#include "train/pipeline.h"

namespace concertina::apps {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kFailed = 2;

/// An empty file that is gone with this.
class TemporaryFile {
 public:
  static Result<TemporaryFile> make() {
    std::string name = (std::filesystem::temp_directory_path() / "concertina-XXXXXX").string();
    const Descriptor file(::mkstemp(name.data()));
    if (!file.valid()) return Error{fmt::format("cannot make the file '{}': {}", name, strerror(errno))};
    return TemporaryFile(name);
  }
  TemporaryFile(TemporaryFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile() { remove(); }

  void remove() {
    std::error_code code;
    if (!path_.empty()) std::filesystem::remove(std::exchange(path_, {}), code);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryFile(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
};

/// A process that this one has started.
struct Child {
  pid_t id = 0;
  Descriptor error;           ///< from which its error is read
  std::optional<int> status;  ///< once it has ended, as waitpid() gives it
  bool ended_by_us = false;

  bool failed() const { return status && *status != 0; }
};

/// What a child does. It never returns.
[[noreturn]] void live(pid_t parent, int error, const train::Place& place,
                       const std::function<Status(const train::Place&)>& work) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) std::_Exit(kFailed);  // it died before
  Status status;
  try {
    status = work(place);
  } catch (const std::exception& exception) {
    status = Error{exception.what()};
  }
  if (std::fflush(nullptr) != 0 && status)
    status =
        Error{fmt::format("cannot write the output: {}; free some space and run again", strerror(errno))};
  if (!status) (void)!::write(error, status.error().message.data(), status.error().message.size());
  std::_Exit(status ? 0 : kFailed);
}

Result<Child> start(const train::Place& place, const std::function<Status(const train::Place&)>& work) {
  int ends[2];
  if (::pipe(ends) != 0) return Error{fmt::format("cannot start a process: {}", strerror(errno))};
  Descriptor read_end(ends[0]), write_end(ends[1]);
  const pid_t parent = ::getpid(), id = ::fork();
  if (id < 0) return Error{fmt::format("cannot start a process: {}", strerror(errno))};
  if (id == 0) live(parent, write_end.get(), place, work);
  return Child{id, std::move(read_end), {}};
}

/// Ends those that live.
void kill_all(std::vector<Child>& children) {
  for (Child& child : children) {
    if (child.status) continue;
    ::kill(child.id, SIGKILL);
    int status = 0;
    ::waitpid(child.id, &status, 0);
    child.status = status;
    child.ended_by_us = true;
  }
}

/// Until all have ended. Where one has failed, the others soon notice; those that do not are ended.
void wait_for(std::vector<Child>& children, Interruption& interruption, TemporaryFile& meeting) {
  constexpr int kLook = 20;  // ms
  constexpr auto kPatience = std::chrono::seconds(5);
  std::optional<Clock::time_point> first_failure;
  const auto has_ended = [](const Child& child) { return child.status.has_value(); };
  while (!std::all_of(children.begin(), children.end(), has_ended)) {
    for (Child& child : children) {
      int status = 0;
      if (!child.status && ::waitpid(child.id, &status, WNOHANG) == child.id) child.status = status;
      if (child.failed() && !first_failure) first_failure = Clock::now();
    }
    if (first_failure && Clock::now() - *first_failure > kPatience) kill_all(children);
    if (!interruption.within(kLook)) continue;
    kill_all(children);
    meeting.remove();
    interruption.obey();
  }
}

std::string read_all(int descriptor) {
  std::string text;
  char part[512];
  for (ssize_t size; (size = ::read(descriptor, part, sizeof part)) > 0;)
    text.append(part, static_cast<std::size_t>(size));
  return text;
}

/// Why they failed: what one of them says for itself, or else that one was killed.
Status why(const std::vector<Child>& children) {
  std::string lost;
  for (const Child& child : children) {
    const std::string error = read_all(child.error.get());
    if (!error.empty() && error != train::kLostProcess) return Error{error};
    if (!error.empty()) lost = error;
  }
  for (std::size_t i = 0; i < children.size(); ++i) {
    const Child& child = children[i];
    if (child.ended_by_us || !child.status || !WIFSIGNALED(*child.status)) continue;
    return Error{fmt::format(
        "process {} of {} was killed by signal {}; run again, and the run goes on from its checkpoint", i,
        children.size(), WTERMSIG(*child.status))};
  }
  if (!lost.empty()) return Error{lost};
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (!children[i].failed() || children[i].ended_by_us) continue;
    return Error{
        fmt::format("process {} of {} ended with status {} and did not say why; run again with fewer threads "
                    "or processes",
                    i, children.size(), WEXITSTATUS(*children[i].status))};
  }
  return {};
}

}  // namespace

Status run_local_processes(int count, const std::function<Status(const train::Place& place)>& work) {
  auto meeting = TemporaryFile::make();
  if (!meeting) return meeting.error();
  std::vector<Child> children;
  for (int rank = 0; rank < count; ++rank) {
    train::Place place{
        .rank = rank, .count = count, .local_rank = rank, .local_count = count, .meeting = meeting->path()};
    auto child = start(place, work);
    if (!child) {
      kill_all(children);
      return child.error();
    }
    children.push_back(std::move(child).value());
  }
  Interruption interruption;
  wait_for(children, interruption, *meeting);
  return why(children);
}

}  // namespace concertina::apps
