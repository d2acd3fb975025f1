#pragma once

#include <array>
#include <atomic>
#include <vector>

#include "control/miss_budget.h"
#include "control/policy.h"
#include "control/run_noise.h"
#include "control/slow_down.h"

namespace concertina::control {

/// The runtime's own policy. Of the sub-nets that are accurate enough, it takes the most accurate one that
///
///   - ends in time with the probability that the request asks for, by the quiet machine's table, the
///     slow-down of now and the noise of runs so far, corrected so that the measured share of late answers
///     is the one asked for; and
///   - is fast enough that, if all that wait were answered with it, and half as many that will come, none of
///     them would be late.
///
/// If there is none it takes the one that is worth most: accuracy times probability. A request that even the
/// fastest would answer too late is shed; of more requests than even the fastest can answer, also one that
/// would perhaps be late.
class Controller final : public Policy {
 public:
  /// Precondition: not empty.
  explicit Controller(std::vector<SubnetProfile> sizes);

  std::string name() const override { return "concertina"; }
  Decision decide(const Request& request) override;
  void observe(const Observation& observation) override;

  /// No sub-net before this one is chosen: what a supervisor says, from any thread. Precondition: an index of
  /// the sizes.
  void allow_from(int subnet) { first_allowed_.store(subnet, std::memory_order_relaxed); }

  int first_allowed() const { return first_allowed_.load(std::memory_order_relaxed); }

  /// This sub-net as the answer to a request, whether it would be chosen or not.
  Decision decide_on(int subnet, const Request& request);

  /// The median time that runs of the sub-net take now, in ms.
  double expected_ms(int subnet) const { return outlook(subnet).expected_ms; }

  const SlowDown& slow_down() const { return slow_down_; }

 private:
  /// What decisions look at of a sub-net, close together: after a run little of it is in the caches.
  struct Outlook {
    double accuracy = 0;
    double expected_ms = 0;  ///< made when a run is observed, as what follows
    double needed_ms = 0;    ///< the slack with which it is in time with probability probability_
    int subnet = 0;
    int hint = 0;  ///< see RunNoise::needed()
  };

  struct Candidate {
    const Outlook* outlook = nullptr;
    double in_time = 0;  ///< probability
    double worth = -1;   ///< accuracy times probability
  };

  /// A run that may or may not have been interrupted.
  struct Suspect {
    double expected = 0;  ///< ms
    double took = 0;      ///< ms
  };

  void learn(int subnet, double took, Time ended);
  void settle_suspects();
  const Outlook& outlook(int subnet) const { return outlooks_[places_[static_cast<std::size_t>(subnet)]]; }
  double quiet_ms(int subnet) const { return sizes_[subnet].times.median(); }
  void expect();
  void need(double quantile);
  /// Milliseconds that each answer may take.
  struct Pace {
    double with_reserve = 0;  ///< if this, all waiting ones and some that come are to be in time
    double of_all = 0;        ///< if this and all waiting ones are
  };

  Pace pace(const Request& request) const;
  Candidate candidate(const Outlook& outlook, double slack) const;
  Decision shed(const Request& request);
  Decision decided(const Outlook& outlook, const Request& request) const;

  std::vector<SubnetProfile> sizes_;
  std::vector<Outlook> outlooks_;  ///< from the most accurate; of equal ones the faster first
  std::vector<int> places_;        ///< of the sub-nets among them
  double quantile_ = 0.99;         ///< of the last run
  double probability_ = -1;  ///< of being in time: the quantile that was asked for, corrected by budget_
  SlowDown slow_down_;
  RunNoise noise_;
  MissBudget budget_;
  std::array<Suspect, SlowDown::kMaxSuspects> suspects_ = {};
  std::size_t suspected_ = 0;
  std::atomic<int> first_allowed_{0};
  bool sure_ = true;      ///< the last run was about as foretold; otherwise nothing is shed, for runs tell
  bool decided_ = false;  ///< the run that will be observed was decided here
  bool refused_ = false;  ///< the last decision passed over a sub-net because of its risk
};

}  // namespace concertina::control
