#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "concertina/machine_state.h"
#include "concertina/model.h"
#include "concertina/result.h"

namespace concertina {

/// One rule of a plan: how to run while it is in force.
struct PlanRule {
  std::string name;                     ///< the name of the state in the SLO file
  std::optional<MachineState> machine;  ///< the state of the machine that it is for; none: any other
  int subnet = 0;                       ///< the largest sub-net that should run: an index of Model::subnets()
  int threads = 1;
  int batch = 1;
  double min_accuracy = 0;  ///< the hard bound on accuracy, 0 .. 1; for Budget::min_accuracy
  bool feasible = true;     ///< true if the plan keeps all hard bounds in this state
  std::string note;         ///< the bounds that it does not keep, as a sentence; empty if feasible
};

/// The rules of a plan that `concertina plan` wrote. They say for the machine's state which sub-net, how many
/// threads and which batch to use. An AdaptiveSession with AdaptiveOptions::plan follows the sub-nets by
/// itself; a program that also changes threads or batches asks here.
///
/// Threads: the rules never change. Any number of threads may read them.
class PlanRules {
 public:
  /// Loads a plan for this model. Fails if the file cannot be read or is damaged, or if it is of another
  /// model or precision, or of another machine unless `other_machine` accepts that. The error names the file.
  static Result<PlanRules> load(const std::filesystem::path& path, const Model& model,
                                bool other_machine = false);

  PlanRules(PlanRules&&) noexcept;
  PlanRules& operator=(PlanRules&&) noexcept;
  ~PlanRules();

  /// All rules, at least one. They live as long as this object.
  std::span<const PlanRule> rules() const;

  /// The index of the rule for a machine in `state` whose runs take `slow_down` times what the latency table
  /// says (AdaptiveSession::machine()). `current` is the rule in force, or -1: the plan goes back to a larger
  /// sub-net only when the slow-down is clearly smaller again. NaN counts as the worst slow-down. Does not
  /// allocate.
  int find(MachineState state, double slow_down, int current = -1) const;

 private:
  struct Impl;
  explicit PlanRules(std::unique_ptr<const Impl> impl);

  std::unique_ptr<const Impl> impl_;
};

}  // namespace concertina
