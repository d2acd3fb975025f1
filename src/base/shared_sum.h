#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "concertina/result.h"

namespace concertina {

/// Sums over processes of one machine, through memory that they share: a sum of a few numbers takes as long
/// as the slowest process needs to arrive, where sockets take hundreds of microseconds. A process that waits
/// for another one keeps its core.
class SharedSum {
 public:
  static constexpr std::size_t kPlaceBytes = 256 << 10;  ///< longer sums are made in parts of this size

  /// Of so many processes the first makes the memory; the others find it by its name, and their numbers are
  /// from 1.
  static Result<std::shared_ptr<SharedSum>> make(int processes);
  static Result<std::shared_ptr<SharedSum>> join(const std::string& name, int rank, int processes);
  virtual ~SharedSum() = default;

  virtual const std::string& name() const = 0;  ///< of what make() has made
  /// Removes the name, which nobody needs once all have joined. The end of what make() has made does it, too.
  virtual void hide() = 0;

  /// Adds up the values of all processes, in place; the order of the processes is the same everywhere, and so
  /// are the bits. Every process makes the same calls in the same order, and waits for the others. False if
  /// one of them has ended; the values are then spoilt. Preconditions: all have joined; as many values in
  /// each process.
  [[nodiscard]] virtual bool add_up(std::span<double> values) = 0;
  [[nodiscard]] virtual bool add_up(std::span<float> values) = 0;
  [[nodiscard]] virtual bool add_up(std::span<std::int32_t> values) = 0;
};

}  // namespace concertina
