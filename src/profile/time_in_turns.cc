#include "profile/time_in_turns.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "base/statistics.h"
#include "base/try.h"
#include "concertina/session.h"
#include "profile/measure_subnets.h"

namespace concertina::profile {
namespace {

constexpr int kLeastRounds = 5;

/// A model that is ready to run.
struct Timed {
  Session session;
  std::vector<float> image;
  std::vector<float> outputs;
  std::vector<std::vector<double>> times;  ///< by sub-net, milliseconds

  static Result<Timed> make(const std::shared_ptr<const Model>& model) {
    ASSIGN_OR_RETURN(Session session, Session::make(model, {.threads = 1, .max_batch = 1}));
    return Timed{.session = std::move(session),
                 .image = some_inputs(*model, 1),
                 .outputs = std::vector<float>(model->output_size()),
                 .times = std::vector<std::vector<double>>(model->subnets().size())};
  }

  Result<double> run(std::size_t subnet, const Clock& clock) {
    const Time start = clock.now();
    RETURN_IF_ERROR(session.run(image, 1, static_cast<int>(subnet), outputs));
    return std::max(to_ms(clock.now() - start), 1e-6);  // the clock may be coarse
  }
};

}  // namespace

Result<std::vector<std::vector<double>>> time_in_turns(std::span<const std::shared_ptr<const Model>> models,
                                                       double seconds, const Clock& clock,
                                                       Progress& progress) {
  std::vector<Timed> all;
  std::vector<std::pair<std::size_t, std::size_t>> turns;  // model, sub-net
  for (const std::shared_ptr<const Model>& model : models) {
    for (std::size_t i = 0; i < model->subnets().size(); ++i) turns.emplace_back(all.size(), i);
    ASSIGN_OR_RETURN(Timed timed, Timed::make(model));
    all.push_back(std::move(timed));
  }
  progress.start_seconds("time sub-nets", static_cast<std::int64_t>(std::ceil(seconds)));
  const Time start = clock.now();
  double spent = 0;
  for (int round = -1; round < kLeastRounds || spent < seconds; ++round) {
    const CounterRandom random(1, static_cast<std::uint64_t>(round + 1));
    for (const std::int64_t turn : random.permutation(std::ssize(turns))) {
      const auto [model, subnet] = turns[turn];
      ASSIGN_OR_RETURN(const double milliseconds, all[model].run(subnet, clock));
      if (round >= 0) all[model].times[subnet].push_back(milliseconds);
    }
    spent = to_ms(clock.now() - start) / 1e3;
    progress.update(static_cast<std::int64_t>(std::min(spent, seconds)), "");
  }
  std::vector<std::vector<double>> medians(all.size());
  for (std::size_t m = 0; m < all.size(); ++m) {
    for (const std::vector<double>& times : all[m].times) medians[m].push_back(quantile(times, 0.5));
  }
  return medians;
}

}  // namespace concertina::profile
