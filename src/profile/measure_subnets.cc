#include "profile/measure_subnets.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "base/try.h"
#include "concertina/session.h"
#include "profile/measure_layers.h"
#include "profile/this_machine.h"

namespace concertina::profile {
namespace {

constexpr int kTurns = 8;  // of every case, spread over the time

/// The sub-nets with one batch on one number of threads.
class Case {
 public:
  static Result<Case> make(std::shared_ptr<const Model> model, int batch, int threads) {
    ASSIGN_OR_RETURN(Session session, Session::make(model, {.threads = threads, .max_batch = batch}));
    return Case(std::move(session), batch);
  }

  std::string name() const {
    const int threads = session_.options().threads;
    return fmt::format("batch {}, {} thread{}", batch_, threads, threads == 1 ? "" : "s");
  }
  Time spent() const { return spent_; }
  int runs() const { return static_cast<int>(times_[0].size()); }

  /// Pages the memory in.
  Status warm_up(const Clock& clock) {
    for (int i = 0; i < subnets(); ++i) RETURN_IF_ERROR(time(i, clock));
    return {};
  }

  /// Runs every sub-net once, one uncounted run first if `cold`: the case before has left its data in the
  /// caches, and its threads asleep.
  Status round(const Clock& clock, bool cold) {
    const Time start = clock.now();
    if (cold) RETURN_IF_ERROR(time(subnets() - 1, clock));
    const auto order = CounterRandom(1, static_cast<std::uint64_t>(runs())).permutation(subnets());
    for (const std::int64_t i : order) {
      ASSIGN_OR_RETURN(const Time took, time(static_cast<int>(i), clock));
      times_[i].push_back(std::max(to_ms(took), 1e-6));  // the clock may be coarse
    }
    spent_ += clock.now() - start;
    return {};
  }

  void add_to(latency::LatencyTable& table) {
    for (int i = 0; i < subnets(); ++i) {
      table.subnets.push_back({.subnet = session_.model().subnets()[i].subnet,
                               .batch = batch_,
                               .threads = session_.options().threads,
                               .runs = runs(),
                               .times = latency::TimeQuantiles::of(times_[i])});
    }
  }

 private:
  Case(Session session, int batch)
      : session_(std::move(session)),
        batch_(batch),
        images_(some_inputs(session_.model(), batch)),
        logits_(static_cast<std::size_t>(batch) * session_.model().output_size()),
        times_(session_.model().subnets().size()) {}

  int subnets() const { return static_cast<int>(times_.size()); }

  Result<Time> time(int subnet, const Clock& clock) {
    const Time start = clock.now();
    RETURN_IF_ERROR(session_.run(images_, batch_, subnet, logits_));
    return clock.now() - start;
  }

  Session session_;
  int batch_;
  std::vector<float> images_;
  std::vector<float> logits_;
  std::vector<std::vector<double>> times_;  ///< by sub-net, milliseconds
  Time spent_{0};
};

Result<std::vector<Case>> cases_of(const std::shared_ptr<const Model>& model, const MeasureOptions& options) {
  std::vector<Case> cases;
  for (const std::vector<int>* list : {&options.batches, &options.threads}) {
    for (auto one = list->begin(); one != list->end(); ++one) {
      if (std::find(list->begin(), one, *one) == one) continue;
      return Error{fmt::format("{} is named twice among the {}; name each once", *one,
                               list == &options.batches ? "batches" : "numbers of threads")};
    }
  }
  for (const int batch : options.batches) {
    for (const int threads : options.threads) {
      ASSIGN_OR_RETURN(Case one, Case::make(model, batch, threads));
      cases.push_back(std::move(one));
    }
  }
  return cases;
}

/// Of the time for everything; a network without sub-nets has little to measure but layers.
double share_of_layers(const onnx::ModelFile& model, const ProfileOptions& options) {
  if (!options.layers) return 0;
  return model.subnets.size() > 1 ? 0.55 : 0.85;
}

}  // namespace

std::vector<float> some_inputs(const Model& model, int batch) {
  const CounterRandom random(1);
  std::vector<float> inputs(static_cast<std::size_t>(batch) * model.input_size());
  for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i] = static_cast<float>(4 * random.uniform(i) - 2);
  return inputs;
}

Result<latency::LatencyTable> measure_subnets(std::shared_ptr<const Model> model,
                                              const MeasureOptions& options, const Clock& clock,
                                              Progress& progress) {
  ASSIGN_OR_RETURN(std::vector<Case> cases, cases_of(model, options));
  const double share = options.seconds / static_cast<double>(cases.size());
  const auto total = static_cast<std::int64_t>(std::ceil(options.seconds));
  progress.start_seconds("measure sub-nets", total);
  const Time start = clock.now();
  for (Case& one : cases) RETURN_IF_ERROR(one.warm_up(clock));
  for (int turn = 1; turn <= kTurns; ++turn) {
    const Time until = from_ms(1e3 * share * turn / kTurns);
    const int least = turn == kTurns ? options.least_runs : 0;
    for (Case& one : cases) {
      bool cold = true;
      while ((one.spent() < until && one.runs() < options.most_runs) || one.runs() < least) {
        RETURN_IF_ERROR(one.round(clock, std::exchange(cold, false)));
        progress.update(std::min<std::int64_t>(total - 1, (clock.now() - start) / std::chrono::seconds(1)),
                        one.name());
      }
    }
  }
  progress.update(total, "");
  latency::LatencyTable table{.machine = this_machine(), .precision = model->precision()};
  for (Case& one : cases) one.add_to(table);
  return table;
}

Result<latency::LatencyTable> measure_model(onnx::ModelFile model, const ProfileOptions& options,
                                            const Clock& clock, Progress& progress) {
  if (options.batches.empty() || options.threads.empty())
    return Error{"there is nothing to measure; name at least one batch and one number of threads"};
  const double layers = options.seconds * share_of_layers(model, options);
  ASSIGN_OR_RETURN(std::shared_ptr<const Model> loaded, runtime::make_model(model, options.loading));
  ASSIGN_OR_RETURN(latency::LatencyTable table, measure_subnets(std::move(loaded),
                                                                {.batches = options.batches,
                                                                 .threads = options.threads,
                                                                 .seconds = options.seconds - layers},
                                                                clock, progress));
  if (!options.layers) return table;
  RETURN_IF_ERROR(measure_layers(std::move(model.network),
                                 {.loading = options.loading,
                                  .machine = this_roofline(options.threads.front()),
                                  .batch = options.batches.front(),
                                  .threads = options.threads.front(),
                                  .seconds = layers},
                                 clock, progress, table));
  return table;
}

}  // namespace concertina::profile
