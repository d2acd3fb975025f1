#include "slo/few_designs.h"

#include <algorithm>
#include <optional>

namespace concertina::slo {
namespace {

/// Goes through all choices of a given size, extending one winner at a time.
class Search {
 public:
  Search(const std::vector<std::vector<Score>>& costs, std::span<const std::size_t> winners, std::size_t size)
      : costs_(costs), winners_(winners), size_(size) {}

  std::vector<std::size_t> run() {
    extend(0, {});
    return best_;
  }

 private:
  /// `served`: each state's cost by the winners chosen so far; empty at first.
  void extend(std::size_t next, const std::vector<Score>& served) {
    if (chosen_.size() == size_) return keep_if_best(served);
    const std::size_t missing = size_ - chosen_.size();
    for (std::size_t i = next; i + missing <= winners_.size(); ++i) {
      chosen_.push_back(winners_[i]);
      std::vector<Score> with(costs_.size());
      for (std::size_t s = 0; s < costs_.size(); ++s) {
        const Score& cost = costs_[s][winners_[i]];
        with[s] = served.empty() ? cost : std::min(served[s], cost);
      }
      extend(i + 1, with);
      chosen_.pop_back();
    }
  }

  void keep_if_best(const std::vector<Score>& served) {
    Score sum;
    for (const Score& cost : served) sum += cost;
    if (least_ && !(sum < *least_)) return;
    least_ = sum;
    best_ = chosen_;
  }

  const std::vector<std::vector<Score>>& costs_;
  std::span<const std::size_t> winners_;
  std::size_t size_;
  std::vector<std::size_t> chosen_;
  std::vector<std::size_t> best_;
  std::optional<Score> least_;
};

}  // namespace

std::vector<std::size_t> choose_few(const std::vector<std::vector<Score>>& costs,
                                    std::span<const std::size_t> winners, std::size_t most) {
  return Search(costs, winners, std::min(most, winners.size())).run();
}

}  // namespace concertina::slo
