#include "search/evaluator.h"

#include <fmt/format.h>

#include <cmath>

namespace concertina::search {

Result<Evaluation> checked(Result<Evaluation> evaluation, const Subnet& subnet) {
  if (!evaluation) return evaluation;
  const auto [loss, accuracy] = *evaluation;
  if (std::isfinite(loss) && accuracy >= 0 && accuracy <= 1) return evaluation;
  return Error{
      fmt::format("sub-net {} has the loss {} and the accuracy {}, with which no search can go on; "
                  "check the weights and the data, and lower the learning rate of the fine-tuning",
                  to_string(subnet), loss, accuracy)};
}

}  // namespace concertina::search
