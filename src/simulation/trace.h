#pragma once

#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "concertina/result.h"

namespace concertina::simulation {

/// Limits of what is read or made, about 32 years; and of the number of requests.
inline constexpr double kLongestTraceSeconds = 1e9;
inline constexpr int kMaxRequests = 10'000'000;

inline Time from_seconds(double seconds) {
  return std::chrono::duration_cast<Time>(std::chrono::duration<double>(seconds));
}

/// The moments at which requests arrive: one number of seconds a line, 0 or later, ascending or equal, at
/// least one. '#' and what follows it on a line is a comment; empty lines are skipped. The bytes are not
/// trusted; errors name the line.
Result<std::vector<Time>> parse_trace(std::string_view text);
/// The same with a file; errors name it too.
Result<std::vector<Time>> read_trace(const std::filesystem::path& path);

/// `count` arrivals from the one with index `first` on, or as many as there are; the first is moved to 0.
/// Precondition: arrivals are ascending, first is one's index.
std::vector<Time> window(std::span<const Time> arrivals, std::size_t first, std::size_t count);

/// Requests a second between the first and the last arrival; 0 if there is no time between them.
double mean_rate(std::span<const Time> arrivals);

/// Stretches or compresses time, so that mean_rate() is `rate` and the first arrival is at 0. Fails if all
/// arrive at one moment or the result would be too long. Precondition: ascending, rate is positive.
Result<std::vector<Time>> scale_to_rate(std::span<const Time> arrivals, double rate);

}  // namespace concertina::simulation
