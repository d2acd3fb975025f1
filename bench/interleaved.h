#pragma once

#include <functional>
#include <vector>

#include "concertina/result.h"

namespace concertina::bench {

/// How long one run takes.
struct Times {
  double median_ms = 0;
  double p99_ms = 0;
};

/// Two sides measured in turn, block by block, so that what the machine does meanwhile hits both.
struct Interleaved {
  Times ours;
  Times peer;
  /// Our block's median over the next one's of the peer, each a round; median and quartiles over the rounds.
  double ratio = 0;
  double ratio_low = 0;
  double ratio_high = 0;
};

struct Pace {
  int rounds = 15;
  double block_ms = 30;  ///< of one side in one round, at least, and 3 runs
};

/// Precondition: pace.rounds > 0. The first error ends it.
Result<Interleaved> interleave(const std::function<Status()>& ours, const std::function<Status()>& peer,
                               const Pace& pace);

/// Milliseconds that the call takes.
Result<double> time_ms(const std::function<Status()>& call);

}  // namespace concertina::bench
