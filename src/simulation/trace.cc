#include "simulation/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/text.h"
#include "base/try.h"

namespace concertina::simulation {
namespace {

constexpr std::uintmax_t kLargestFile = std::uintmax_t{1} << 30;

/// Without what follows a '#', and without blanks at either end.
std::string_view content_of(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  line = line.substr(0, line.find('#'));
  const std::size_t first = line.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
}

/// Nothing if it is not a number of seconds in the range that is read.
std::optional<Time> read_seconds(std::string_view text) {
  const auto seconds = parse_number<double>(text);
  if (!seconds || !(*seconds >= 0 && *seconds <= kLongestTraceSeconds)) return std::nullopt;  // NaN fails
  return from_seconds(*seconds);
}

Status add_line(std::string_view line, int number, std::vector<Time>& arrivals) {
  line = content_of(line);
  if (line.empty()) return {};
  const std::optional<Time> arrival = read_seconds(line);
  if (!arrival) {
    return Error{fmt::format("line {} is not a time of arrival, one number of seconds from 0 to {}", number,
                             kLongestTraceSeconds)};
  }
  if (!arrivals.empty() && *arrival < arrivals.back())
    return Error{fmt::format("line {} is earlier than the arrival before it; sort the trace", number)};
  if (arrivals.size() == kMaxRequests)
    return Error{fmt::format("line {} is one more than the {} arrivals that are read", number, kMaxRequests)};
  arrivals.push_back(*arrival);
  return {};
}

}  // namespace

Result<std::vector<Time>> parse_trace(std::string_view text) {
  std::vector<Time> arrivals;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    RETURN_IF_ERROR(add_line(text.substr(0, end), number, arrivals));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (arrivals.empty()) return Error{"it holds no time of arrival; one number of seconds a line is wanted"};
  return arrivals;
}

Result<std::vector<Time>> read_trace(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::uintmax_t size = std::filesystem::file_size(path, ignored);
  if (!ignored && size > kLargestFile)
    return Error{fmt::format("'{}' is larger than 1 GiB; cut the trace", path.string())};
  return read_as(path, parse_trace);
}

std::vector<Time> window(std::span<const Time> arrivals, std::size_t first, std::size_t count) {
  const auto part = arrivals.subspan(first, std::min(count, arrivals.size() - first));
  std::vector<Time> moved(part.begin(), part.end());
  for (Time& arrival : moved) arrival -= part.front();
  return moved;
}

double mean_rate(std::span<const Time> arrivals) {
  if (arrivals.empty() || arrivals.front() == arrivals.back()) return 0;
  return static_cast<double>(arrivals.size() - 1) / to_seconds(arrivals.back() - arrivals.front());
}

Result<std::vector<Time>> scale_to_rate(std::span<const Time> arrivals, double rate) {
  const double before = mean_rate(arrivals);
  if (before == 0)
    return Error{"all requests of the trace arrive at one moment, so that it cannot be scaled to a rate"};
  const double stretch = before / rate;
  if (!(to_seconds(arrivals.back() - arrivals.front()) * stretch <= kLongestTraceSeconds))
    return Error{fmt::format("at {} requests a second the trace would last too long; raise the rate", rate)};
  std::vector<Time> scaled;
  scaled.reserve(arrivals.size());
  for (const Time arrival : arrivals)
    scaled.push_back(from_seconds(to_seconds(arrival - arrivals.front()) * stretch));
  return scaled;
}

}  // namespace concertina::simulation
