#pragma once

#include <compare>
#include <span>
#include <vector>

#include "slo/candidates.h"

namespace concertina::slo {

/// How well a design serves a state; less is better, and the first that differ decide.
struct Score {
  double overload = 0;  ///< by how much utilisation exceeds 1: requests would wait without end
  double excess = 0;    ///< the sum over hard bounds of by how much each is missed, as a share of its limit
  /// The weighted mean over soft objectives of by how much each target is missed, as a share of the range
  /// that the state offers (goal programming: Charnes and Cooper 1961).
  double loss = 0;

  bool feasible() const { return overload == 0 && excess == 0; }
  Score& operator+=(const Score& other);

  friend auto operator<=>(const Score&, const Score&) = default;
};

/// How a state is served.
struct StateOutcome {
  std::size_t design = 0;  ///< of Solution::designs
  Score cost = {};
  Score best = {};  ///< of all candidates: less than `cost` only where the few designs had to be shared
  double holds_up_to = 1;  ///< the slow-down up to which the design meets the bounds; 0 if not even here
};

struct Solution {
  std::vector<Candidate> designs;
  std::vector<StateOutcome> outcomes;  ///< of the states, in their order
};

/// The costs of all candidates in a state. What it offers are the values of its feasible candidates; if there
/// are none, of all. A target that was left out is the best of them.
std::vector<Score> costs_in(const AnticipatedState& state, std::span<const Objective> soft,
                            std::span<const Candidate> candidates);

/// For each state the candidate that costs least; of equal ones the most accurate, then the one with the
/// fewest multiply-accumulates, threads and images in a batch. If those are more than `most`, the `most` of
/// them whose costs, each state taking the one that serves it best, have the least sum: all choices are
/// tried. Preconditions: candidates and slo.states are not empty, most >= 1.
Solution solve(const Slo& slo, std::span<const Candidate> candidates, std::size_t most = 8);

/// The at most `most` of `winners`, candidates without repetition, whose costs[state][candidate], each state
/// taking the one that serves it best, have the least sum; in the order of `winners`. Exact: tries all
/// choices, 735 471 at Slo::kMaxStates and 8. Precondition: most >= 1.
std::vector<std::size_t> choose_few(const std::vector<std::vector<Score>>& costs,
                                    std::span<const std::size_t> winners, std::size_t most);

}  // namespace concertina::slo
