#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "concertina/result.h"

namespace concertina {

/// Sums over processes of one machine, through memory that they share: a sum of a few numbers takes as long
/// as the slowest process needs to arrive, where sockets take hundreds of microseconds. Made by the process
/// that starts the others, before it does. A process that waits for another one keeps its core.
class SharedSum {
 public:
  static constexpr std::size_t kMostValues = 8192;  ///< of one sum

  static Result<std::shared_ptr<SharedSum>> make(int processes);
  virtual ~SharedSum() = default;

  /// Adds up the values of all processes, in place; the order of the processes is the same everywhere, and so
  /// are the bits. Every process makes the same calls in the same order, and waits for the others. It waits
  /// forever for one that has ended. Precondition: at most kMostValues, as many in each process.
  virtual void add_up(int rank, std::span<double> values) = 0;
};

}  // namespace concertina
