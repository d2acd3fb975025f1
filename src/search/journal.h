#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "search/trajectory.h"

namespace concertina::search {

/// What a search depends on, as names and values: two searches with equal ones find the same trajectory.
using Fingerprint = std::map<std::string, std::string>;

/// A trajectory on disk: a file of JSON lines, first {"concertina_search":2,"fingerprint":{...}}, then one
/// line per committed step. Lines are only ever added, each flushed to the disk, so a kill at any moment
/// loses at most the step that was under way. One process at a time may have it open.
class Journal {
 public:
  /// Reads the journal at `path`, or makes it if there is none. A last line without '\n' is what a kill
  /// leaves: it is removed. Fails if the file is no journal, was made by another search (saying what
  /// differs), or has a line that cannot be read (saying which).
  static Result<Journal> open(std::filesystem::path path, const Fingerprint& fingerprint);

  /// A journal without a file, for searches too short to be killed.
  static Journal in_memory() { return Journal({}); }

  const std::vector<TrajectoryStep>& steps() const { return steps_; }

  /// Durable when it returns. After a failure open the journal anew.
  /// Precondition: step.step is the number of steps so far.
  Status append(TrajectoryStep step);

 private:
  explicit Journal(std::filesystem::path path) : path_(std::move(path)) {}

  Status read(std::string_view bytes, const Fingerprint& fingerprint);

  std::filesystem::path path_;  // empty: in memory
  std::vector<TrajectoryStep> steps_;
};

}  // namespace concertina::search
