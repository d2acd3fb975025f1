#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "latency/latency_table.h"

namespace concertina::control {

/// What a policy knows of one sub-net beforehand. Policies know a sub-net by its index, as the runtime does.
struct SubnetProfile {
  double accuracy = 0;           ///< 0 .. 1
  latency::TimeQuantiles times;  ///< on the quiet machine, milliseconds
};

/// A request whose turn has come, and what waits behind it.
struct Request {
  Time now{0};
  Time arrival{0};
  Time deadline{0};         ///< when the answer is wanted; may have passed
  double quantile = 0.99;   ///< the share of answers that are to be in time, above 0 and below 1
  double min_accuracy = 0;  ///< answers of less accurate sub-nets are worth nothing
  /// The deadlines of the requests that wait, in the order of their turns; possibly only the first of them.
  std::span<const Time> waiting = {};
};

struct Decision {
  static constexpr int kShed = -1;  ///< not to answer at all: it would be late, and others would be too

  int subnet = kShed;
  /// What its run is thought to take. The Controller's: the time in which it ends with the probability that
  /// is needed for the requested share of answers to be in time.
  Time predicted{0};
  bool fits = false;  ///< that this meets the deadline. The Controller's: now + predicted <= deadline
};

/// A run that has ended.
struct Observation {
  int subnet = 0;
  Time arrival{0};  ///< the request's
  Time started{0};
  Time took{0};
  Time deadline{0};        ///< the request's
  double quantile = 0.99;  ///< the request's
};

/// Chooses sub-nets. The runtime and the simulator use the same objects. For one thread at a time; neither
/// function allocates, locks or reads a clock.
class Policy {
 public:
  virtual ~Policy() = default;
  virtual std::string name() const = 0;
  virtual Decision decide(const Request& request) = 0;
  /// To be told of every run that was decided, in order.
  virtual void observe(const Observation& observation) = 0;
};

}  // namespace concertina::control
