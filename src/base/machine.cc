#include "base/machine.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <string_view>

#include "base/system_file.h"
#include "base/text.h"

namespace concertina {
namespace {

/// The first line of a file; empty if there is none.
std::string first_line(const std::string& path) {
  const auto text = read_text(path);
  return text ? text->substr(0, text->find('\n')) : "";
}

std::optional<double> positive_number(std::string_view word) {
  const auto number = parse_number<double>(word);
  return number && std::isfinite(*number) && *number > 0 ? number : std::nullopt;
}

/// Of one group: "200000 100000" in cpu.max, or two files; "max" and -1 are no limit.
std::optional<double> quota_of(const std::string& group) {
  std::string line = first_line(group + "/cpu.max");
  if (line.empty())
    line = first_line(group + "/cpu.cfs_quota_us") + ' ' + first_line(group + "/cpu.cfs_period_us");
  const auto words = split(line, ' ');
  if (words.size() < 2) return std::nullopt;
  const auto granted = positive_number(words[0]), each = positive_number(words[1]);
  return granted && each ? std::optional(*granted / *each) : std::nullopt;
}

/// Of the group `path` below `top`, and those around it: "/a/b", "/a", "".
std::optional<double> least_quota(const std::string& top, std::string path) {
  std::optional<double> least;
  while (true) {
    if (const auto quota = quota_of(top + path); quota && (!least || *quota < *least)) least = quota;
    if (path.empty()) return least;
    const std::size_t slash = path.rfind('/');
    path.resize(slash == path.npos ? 0 : slash);
  }
}

}  // namespace

std::string cpu_name() {
  const std::string info = read_beginning("/proc/cpuinfo").value_or("");
  for (const std::string_view line : split(info, '\n')) {
    const std::size_t value = line.find(": ");
    if (line.starts_with("model name") && value != line.npos) return std::string(line.substr(value + 2));
  }
  return "unknown CPU";
}

std::optional<double> cpu_quota(const std::filesystem::path& root) {
  std::optional<double> least;
  const std::string groups = read_text(root.native() + "/proc/self/cgroup").value_or("");
  for (const std::string_view line : split(groups, '\n')) {  // number:controllers:/path
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string controllers(line.substr(first + 1, second - first - 1));
    if (!controllers.empty() && controllers != "cpu" && !controllers.starts_with("cpu,")) continue;
    const auto quota =
        least_quota(root.native() + "/sys/fs/cgroup/" + controllers, std::string(line.substr(second + 1)));
    if (quota && (!least || *quota < *least)) least = quota;
  }
  return least;
}

int usable_cores(const std::filesystem::path& root) {
  const int processors = std::max(1, static_cast<int>(allowed_processors().size()));
  const auto quota = cpu_quota(root);
  return quota && *quota < processors ? std::max(1, static_cast<int>(std::ceil(*quota))) : processors;
}

std::string frequency_governor(const std::filesystem::path& root) {
  std::set<std::string> governors;
  for (const std::string& cpu : entries_of(root.native() + "/sys/devices/system/cpu", "cpu")) {
    const std::string governor = first_line(cpu + "/cpufreq/scaling_governor");
    if (!governor.empty()) governors.insert(governor);
  }
  return fmt::format("{}", fmt::join(governors, ", "));
}

std::vector<int> allowed_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> processors;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return processors;
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(static_cast<std::size_t>(i), &set)) processors.push_back(i);
  return processors;
}

Status pin_thread(pthread_t thread, const std::vector<int>& processors) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int processor : processors) CPU_SET(static_cast<std::size_t>(processor), &set);
  const int refused = pthread_setaffinity_np(thread, sizeof set, &set);
  if (refused == 0) return {};
  return Error{fmt::format("the system refuses these processors ({}); nproc tells how many there are",
                           std::strerror(refused))};
}

}  // namespace concertina
