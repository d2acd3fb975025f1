#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "concertina/result.h"

namespace concertina::simulation {

/// Gaps between requests are independent and exponential.
struct PoissonArrivals {};

/// Gaps are independent and gamma-distributed, with this squared coefficient of variation (variance over
/// squared mean); 1 is Poisson, more is burstier.
struct GammaArrivals {
  double cv2 = 8;
};

/// A Poisson process whose rate changes between two values (Markov-modulated): `burst` times the mean rate
/// for a `share` of the time, else so much less that the mean is kept. Both states' lengths are exponential,
/// a burst's mean length being `length` mean gaps. Precondition: burst * share <= 1.
struct BurstArrivals {
  double burst = 3;
  double share = 0.2;
  double length = 20;
};

/// A Poisson process whose rate goes linearly from `from` to `to` times the given one, between the beginning
/// and the moment at which all requests are expected to have arrived.
struct RampArrivals {
  double from = 0.5, to = 1.5;
};

/// The same, but its rate jumps at half of that time.
struct StepArrivals {
  double from = 0.5, to = 1.5;
};

/// What was recorded, its time scaled to the wanted rate.
struct TraceArrivals {
  std::filesystem::path file;
};

using ArrivalProcess =
    std::variant<PoissonArrivals, GammaArrivals, BurstArrivals, RampArrivals, StepArrivals, TraceArrivals>;

/// "poisson", "gamma:CV2", "bursts:BURST:SHARE:LENGTH", "ramp:FROM:TO", "step:FROM:TO" (numbers may be left
/// out from the right), a file, or "azure_code" and "azure_conv", which are files in the folder `traces`.
/// A file is not opened yet. Fails with the nearest name.
Result<ArrivalProcess> parse_arrivals(std::string_view text, const std::filesystem::path& traces);

/// The moments of `count` arrivals, ascending from 0 on, `rate` a second in the mean: of a file its first
/// `count`, or all if it has fewer. The same for the same seed. Fails on a file that cannot be read, and
/// unless count is 1 .. kMaxRequests, the rate is positive and the whole shorter than kLongestTraceSeconds.
Result<std::vector<Time>> make_arrivals(const ArrivalProcess& process, int count, double rate,
                                        std::uint64_t seed);

}  // namespace concertina::simulation
