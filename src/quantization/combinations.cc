#include "quantization/combinations.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace concertina::quantization {
namespace {

/// A combination of the first layers.
struct State {
  double cost = 0;
  double loss = 0;
  int before = 0;  ///< the state of the layers before the last
  int option = kNoOption;
};

/// Leaves those that no other one beats, by rising cost.
void keep_best(std::vector<State>& states) {
  std::sort(states.begin(), states.end(), [](const State& a, const State& b) {
    return a.cost != b.cost ? a.cost < b.cost : a.loss < b.loss;
  });
  double least = std::numeric_limits<double>::infinity();
  std::erase_if(states, [&](const State& state) {
    if (state.loss >= least) return true;
    least = state.loss;
    return false;
  });
}

/// Precondition: keep_best() has been called.
void thin_out(std::vector<State>& states, int most) {
  if (states.size() <= static_cast<std::size_t>(most)) return;
  const double low = states.front().cost, range = states.back().cost - low;
  const auto part = [&](const State& state) { return std::floor((state.cost - low) / range * (most - 1)); };
  std::vector<State> kept;
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (i + 1 == states.size() || part(states[i]) != part(states[i + 1])) kept.push_back(states[i]);
  }
  states = std::move(kept);
}

/// Of all sub-nets, depth first.
class Choosing {
 public:
  Choosing(const std::vector<std::vector<Candidate>>& subnets, const OptionBytes& bytes, std::int64_t most)
      : subnets_(subnets), bytes_(bytes), most_(most), chosen_(subnets.size()), rest_(subnets.size() + 1) {
    for (const std::vector<std::int64_t>& layer : bytes) users_.emplace_back(layer.size());
    for (std::size_t i = subnets.size(); i-- > 0;) {
      std::vector<int>& order = orders_.emplace_back(subnets[i].size());
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(),
                       [&](int a, int b) { return subnets[i][a].milliseconds < subnets[i][b].milliseconds; });
      rest_[i] = rest_[i + 1] + std::log(subnets[i][order.front()].milliseconds);
    }
    std::reverse(orders_.begin(), orders_.end());
  }

  std::optional<std::vector<int>> best() {
    descend(0, 0);
    return best_;
  }

 private:
  static constexpr int kMostSteps = 1'000'000;

  void descend(std::size_t subnet, double time) {
    if (subnet == subnets_.size()) {
      best_ = chosen_;
      least_ = time;
      return;
    }
    for (const int i : orders_[subnet]) {
      const Candidate& candidate = subnets_[subnet][i];
      const double longer = time + std::log(candidate.milliseconds);
      if (longer + rest_[subnet + 1] >= least_ || ++steps_ > kMostSteps) return;
      use(candidate.options, 1);
      chosen_[subnet] = i;
      if (used_ <= most_) descend(subnet + 1, longer);
      use(candidate.options, -1);
    }
  }

  void use(const Combination& options, int by) {
    for (std::size_t layer = 0; layer < options.size(); ++layer) {
      if (options[layer] == kNoOption) continue;
      int& users = users_[layer][options[layer]];
      const std::int64_t bytes = bytes_[layer][options[layer]];
      if (users == 0) used_ += bytes;
      users += by;
      if (users == 0) used_ -= bytes;
    }
  }

  const std::vector<std::vector<Candidate>>& subnets_;
  const OptionBytes& bytes_;
  std::int64_t most_;
  std::vector<int> chosen_;
  std::vector<double> rest_;              ///< the least logarithm of what the sub-nets from here on take
  std::vector<std::vector<int>> orders_;  ///< of each sub-net's candidates, by time
  std::vector<std::vector<int>> users_;   ///< of each option
  std::int64_t used_ = 0;
  int steps_ = 0;
  double least_ = std::numeric_limits<double>::infinity();
  std::optional<std::vector<int>> best_;
};

}  // namespace

Estimate estimate(const LayerOptions& layers, const Combination& options) {
  Estimate sum{.options = options};
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (options[i] == kNoOption) continue;
    sum.cost += layers[i][options[i]].cost;
    sum.loss += layers[i][options[i]].loss;
  }
  return sum;
}

std::vector<Estimate> best_combinations(const LayerOptions& layers, int most) {
  std::vector<std::vector<State>> all = {{State()}};
  for (const std::vector<LayerOption>& options : layers) {
    std::vector<State> next;
    const std::vector<State>& before = all.back();
    for (std::size_t i = 0; i < before.size(); ++i) {
      State state{.cost = before[i].cost, .loss = before[i].loss, .before = static_cast<int>(i)};
      if (options.empty()) next.push_back(state);
      for (std::size_t option = 0; option < options.size(); ++option) {
        state.cost = before[i].cost + options[option].cost;
        state.loss = before[i].loss + options[option].loss;
        state.option = static_cast<int>(option);
        next.push_back(state);
      }
    }
    keep_best(next);
    thin_out(next, most);
    all.push_back(std::move(next));
  }
  std::vector<Estimate> best;
  for (const State& last : all.back()) {
    Estimate& one = best.emplace_back(
        Estimate{.options = Combination(layers.size()), .cost = last.cost, .loss = last.loss});
    const State* state = &last;
    for (std::size_t i = layers.size(); i-- > 0; state = &all[i][state->before])
      one.options[i] = state->option;
  }
  return best;
}

std::vector<Estimate> at_even_costs(std::span<const Estimate> best, double highest, int count) {
  std::vector<Estimate> chosen;
  const double low = best.front().cost, step = std::max(highest - low, 0.0) / count;
  std::size_t next = 0;
  for (int i = 0; i < count; ++i) {
    const std::size_t first = next;
    while (next < best.size() && best[next].cost <= low + i * step) ++next;
    if (next > first) chosen.push_back(best[next - 1]);
  }
  return chosen;
}

Combination random_combination(const LayerOptions& layers, const CounterRandom& random) {
  Combination options;
  for (std::size_t i = 0; i < layers.size(); ++i)
    options.push_back(layers[i].empty() ? kNoOption : static_cast<int>(random.below(layers[i].size(), i)));
  return options;
}

std::int64_t bytes_of(const OptionBytes& bytes, std::span<const Combination> subnets) {
  std::int64_t sum = 0;
  for (std::size_t layer = 0; layer < bytes.size(); ++layer) {
    for (std::size_t option = 0; option < bytes[layer].size(); ++option) {
      const bool used = std::any_of(subnets.begin(), subnets.end(), [&](const Combination& options) {
        return options[layer] == static_cast<int>(option);
      });
      if (used) sum += bytes[layer][option];
    }
  }
  return sum;
}

std::optional<std::vector<int>> choose_within(const std::vector<std::vector<Candidate>>& subnets,
                                              const OptionBytes& bytes, std::int64_t most) {
  return Choosing(subnets, bytes, most).best();
}

}  // namespace concertina::quantization
