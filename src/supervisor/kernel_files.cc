#include "supervisor/kernel_files.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace concertina::supervisor {
namespace {

constexpr std::size_t kLongestWord = 64;

std::string_view without_newline(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

/// The value of "key=value".
template <typename Number>
std::optional<Number> field(std::string_view text, std::string_view key) {
  if (!text.starts_with(key) || !text.substr(key.size()).starts_with('=')) return std::nullopt;
  return parse_number<Number>(text.substr(key.size() + 1));
}

std::optional<double> percent(std::string_view text, std::string_view key) {
  const auto value = field<double>(text, key);
  if (!value || !(*value >= 0 && *value <= 100)) return std::nullopt;
  return *value / 100;
}

/// The number after "key " in a file of such lines.
std::optional<std::uint64_t> counter(const std::vector<std::string_view>& lines, std::string_view key) {
  for (const std::string_view line : lines) {
    if (line.starts_with(key) && line.substr(key.size()).starts_with(' '))
      return parse_number<std::uint64_t>(line.substr(key.size() + 1));
  }
  return std::nullopt;
}

/// "/docker/4f1c" without the slash in front.
std::optional<std::string> below_mount(std::string_view path) {
  if (!path.starts_with('/') || path.find('\0') != std::string_view::npos) return std::nullopt;
  const auto folders = split(path, '/');
  std::string below;
  for (const std::string_view folder : folders) {
    if (folder == "..") return std::nullopt;
    below.append(below.empty() ? "" : "/").append(folder);
  }
  return below;
}

}  // namespace

std::optional<Pressure> parse_pressure(std::string_view text) {
  for (const std::string_view line : split(text, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() < 5 || fields[0] != "some") continue;
    const auto avg10 = percent(fields[1], "avg10");
    const auto avg60 = percent(fields[2], "avg60");
    const auto total = field<std::uint64_t>(fields[4], "total");
    if (!avg10 || !avg60 || !total) return std::nullopt;
    return Pressure{.avg10 = *avg10, .avg60 = *avg60, .waited_us = *total};
  }
  return std::nullopt;
}

std::optional<Throttling> parse_cpu_stat(std::string_view text) {
  constexpr auto kMost = static_cast<std::uint64_t>(Time::max().count());
  const auto lines = split(text, '\n');
  const auto periods = counter(lines, "nr_periods");
  const auto throttled = counter(lines, "nr_throttled");
  auto held = counter(lines, "throttled_time");
  if (const auto us = counter(lines, "throttled_usec")) held = *us > kMost / 1000 ? kMost : *us * 1000;
  if (!periods || !throttled || !held) return std::nullopt;
  return Throttling{.periods = *periods,
                    .throttled = *throttled,
                    .held = Time(static_cast<Time::rep>(std::min(*held, kMost)))};
}

std::optional<double> parse_cpu_max(std::string_view text) {
  const auto fields = split(without_newline(text), ' ');
  if (fields.size() < 2) return std::nullopt;
  return cpus_of(parse_number<std::int64_t>(fields[0]), parse_number<std::int64_t>(fields[1]));
}

std::optional<double> cpus_of(std::optional<std::int64_t> quota_us, std::optional<std::int64_t> period_us) {
  if (!quota_us || !period_us || *quota_us <= 0 || *period_us <= 0) return std::nullopt;
  return static_cast<double>(*quota_us) / static_cast<double>(*period_us);
}

CgroupPaths parse_cgroup(std::string_view text) {
  CgroupPaths paths;
  for (const std::string_view line : split(text, '\n')) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == line.npos ? line.npos : line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string_view names = line.substr(first + 1, second - first - 1);
    const auto controllers = split(names, ',');
    const auto path = below_mount(line.substr(second + 1));
    if (line.substr(0, first) == "0" && names.empty()) {
      paths.v2 = path;
    } else if (std::find(controllers.begin(), controllers.end(), "cpu") != controllers.end()) {
      paths.v1_cpu = path;
    }
  }
  return paths;
}

std::optional<ProcessorTime> parse_schedstat(std::string_view text) {
  const auto fields = split(without_newline(text), ' ');
  if (fields.size() != 3) return std::nullopt;
  const auto ran = parse_number<std::uint64_t>(fields[0]);
  const auto waited = parse_number<std::uint64_t>(fields[1]);
  if (!ran || !waited) return std::nullopt;
  return ProcessorTime{.ran_ns = *ran, .waited_ns = *waited};
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  return parse_number<std::int64_t>(without_newline(text));
}

std::optional<double> parse_temperature(std::string_view text) {
  const auto millidegrees = parse_integer(text);
  if (!millidegrees || *millidegrees < -50'000 || *millidegrees > 200'000) return std::nullopt;
  return static_cast<double>(*millidegrees) / 1000;
}

std::optional<std::string> parse_word(std::string_view text) {
  text = without_newline(text);
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (text.empty() || text.size() > kLongestWord || !std::all_of(text.begin(), text.end(), printable))
    return std::nullopt;
  return std::string(text);
}

}  // namespace concertina::supervisor
