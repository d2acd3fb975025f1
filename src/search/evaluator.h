#pragma once

#include <span>

#include "concertina/result.h"
#include "concertina/subnet.h"
#include "search/spending.h"

namespace concertina::search {

/// How good a sub-net is on held-out data.
struct Evaluation {
  double loss = 0;      ///< mean cross-entropy, in nats
  double accuracy = 0;  ///< top-1, in 0 .. 1

  friend bool operator==(const Evaluation&, const Evaluation&) = default;
};

/// Where the search gets its knowledge. LibTorch implements it; tests fake it. A search continues to the same
/// result after a kill if each call is a pure function of its arguments and of the weights.
class Evaluator {
 public:
  virtual ~Evaluator() = default;

  /// With batch-norm statistics estimated for this sub-net. Changes no weights.
  virtual Result<Evaluation> evaluate(const Subnet& subnet) = 0;

  /// Tells that the search is about to evaluate at least `count` sub-nets that differ from this one in one
  /// dimension or branch.
  virtual Status expect_neighbours(const Subnet&, int) { return {}; }

  /// Tells which sub-nets will be evaluated next, in this order, unless it ends before; so that several
  /// processes can evaluate one each.
  virtual void expect(std::span<const Subnet>) {}

  /// Trains the shared weights on the sub-net until its accuracy is `target_accuracy` or the budget ends; the
  /// result is what evaluate() gives then. Before it returns, the new weights are durable under `version`
  /// (1, 2, ...), in place of any that an interrupted search left there.
  virtual Result<Evaluation> fine_tune(const Subnet& subnet, double target_accuracy, int version) = 0;

  /// Makes those weights current that fine_tune() stored; 0 stands for those that the search started from.
  virtual Status restore(int version) = 0;

  /// By all calls so far of this object.
  virtual Spending spent() const = 0;
};

/// Passes an evaluation of `subnet` on. Fails unless its loss is finite and its accuracy in 0 .. 1, naming
/// the sub-net; errors pass through.
Result<Evaluation> checked(Result<Evaluation> evaluation, const Subnet& subnet);

}  // namespace concertina::search
