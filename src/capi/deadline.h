#pragma once

#include <algorithm>
#include <chrono>

namespace concertina::capi {

/// A deadline from a program's milliseconds; some 30 years stand for infinity. Precondition: not NaN.
inline std::chrono::nanoseconds deadline_of(double milliseconds) {
  constexpr double kLongest = 1e12;  // 64 bits of nanoseconds hold it
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double, std::milli>(std::clamp(milliseconds, -kLongest, kLongest)));
}

}  // namespace concertina::capi
