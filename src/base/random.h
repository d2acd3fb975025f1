#pragma once

#include <cstdint>
#include <numeric>
#include <vector>

namespace concertina {

/// Counter-based random numbers: each value is a pure function of (seed, stream, counter), so that whatever
/// needs one can be repeated alone, in any order and on any thread, and a resumed run needs no saved state.
class CounterRandom {
 public:
  explicit CounterRandom(std::uint64_t seed, std::uint64_t stream = 0) : key_(mix(mix(seed) ^ stream)) {}

  /// 64 random bits.
  std::uint64_t bits(std::uint64_t counter) const { return mix(key_ ^ mix(counter)); }

  /// Uniform in [0, 1).
  double uniform(std::uint64_t counter) const { return static_cast<double>(bits(counter) >> 11) * 0x1.0p-53; }

  /// Uniform in [0, n); the bias is below n / 2^64. Precondition: n > 0.
  std::uint64_t below(std::uint64_t n, std::uint64_t counter) const { return bits(counter) % n; }

  /// A random order of 0 .. n-1.
  std::vector<std::int64_t> permutation(std::int64_t n) const {
    std::vector<std::int64_t> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    for (std::uint64_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[below(i, i)]);
    return order;
  }

 private:
  // The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
  static constexpr std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }

  std::uint64_t key_;
};

}  // namespace concertina
