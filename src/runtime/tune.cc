#include "runtime/tune.h"

#include <algorithm>
#include <optional>

#include "base/machine.h"
#include "base/quantile.h"
#include "base/random.h"
#include "base/try.h"
#include "concertina/session.h"
#include "kernels/target.h"
#include "runtime/model_impl.h"

namespace concertina::runtime {
namespace {

// Differences below it are noise, and the rule of thumb stands.
constexpr double kLeastGain = 0.02;

// A kernel is tried in every so many-th layer at a time, so that the others leave the caches as they will:
// some kernels read four times the weights.
constexpr int kGroups = 4;

/// The layers that leave a choice, in order, with their packings, the first by rule of thumb.
struct Choice {
  std::string layer;
  std::vector<Packing> packings;
};

std::vector<Choice> choices_of(const Graph& graph, Precision precision) {
  std::vector<Choice> choices;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const std::vector<LayerFilter> filters = layer_filters(graph, id, precision);
    if (filters.empty() || filters.front().packings.size() == 1) continue;
    choices.push_back({graph.node(id).name, filters.front().packings});
  }
  return choices;
}

/// A model in which some layers, and only these are measured, have kernels of their own.
struct Candidate {
  std::map<std::string, Packing> layers;
  std::optional<Session> session;
  std::map<std::string, std::vector<std::vector<double>>> milliseconds;  ///< [layer][sub-net][round]
};

/// The rules of thumb, then every other kernel in every group of layers.
std::vector<Candidate> candidates_of(const std::vector<Choice>& choices) {
  std::vector<Candidate> candidates(1);
  std::map<std::pair<Packing, int>, Candidate> others;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const auto& [layer, packings] = choices[i];
    candidates[0].layers.emplace(layer, packings[0]);
    for (std::size_t p = 1; p < packings.size(); ++p) {
      others[{packings[p], static_cast<int>(i) % kGroups}].layers.emplace(layer, packings[p]);
    }
  }
  for (auto& [key, candidate] : others) candidates.push_back(std::move(candidate));
  return candidates;
}

Status load(const ModelFile& file, const TuneOptions& options, Candidate& candidate) {
  const auto choose = [&](const Node& node, const LayerFilter& filter) {
    const auto layer = candidate.layers.find(node.name);
    return layer == candidate.layers.end() ? filter.packings.front() : layer->second;
  };
  CONCERTINA_ASSIGN(const auto model, make_model(file, options.precision, choose));
  CONCERTINA_ASSIGN(candidate.session,
                    Session::make(model, {.threads = options.threads, .max_batch = options.batch}));
  return {};
}

Status measure(const TuneOptions& options, const std::vector<float>& images, Candidate& candidate) {
  const std::size_t subnets = candidate.session->model().subnets().size();
  for (std::size_t i = 0; i < subnets; ++i) {
    CONCERTINA_ASSIGN(const auto steps,
                      candidate.session->profile(images, options.batch, static_cast<int>(i), options.runs));
    std::map<std::string, double> sums;  // a layer may take several steps
    for (const StepTime& step : steps) {
      // Steps that are no nodes have names too.
      if (step.macs > 0 && candidate.layers.contains(step.name)) sums[step.name] += step.median_ms;
    }
    for (const auto& [layer, ms] : sums) {
      auto& times = candidate.milliseconds[layer];
      times.resize(subnets);
      times[i].push_back(std::max(ms, 1e-6));  // the clock may not have moved
    }
  }
  return {};
}

double mean_share(const std::vector<double>& times, const std::vector<double>& of) {
  double sum = 0;
  for (std::size_t i = 0; i < times.size(); ++i) sum += times[i] / of[i];
  return sum / static_cast<double>(times.size());
}

LayerTuning best_of(const Choice& choice, const std::vector<Candidate>& candidates) {
  LayerTuning layer{.best = choice.packings.front(), .milliseconds = {}};
  for (const Candidate& candidate : candidates) {
    const auto found = candidate.milliseconds.find(choice.layer);
    if (found == candidate.milliseconds.end()) continue;
    std::vector<double>& times = layer.milliseconds[candidate.layers.at(choice.layer)];
    for (const auto& rounds : found->second) times.push_back(quantile(rounds, 0.5));
  }
  double least = 1 - kLeastGain;
  for (const auto& [packing, times] : layer.milliseconds) {
    const double share = mean_share(times, layer.milliseconds.at(choice.packings.front()));
    if (share >= least) continue;
    least = share;
    layer.best = packing;
  }
  return layer;
}

}  // namespace

Result<Tuning> tune(const ModelFile& file, const TuneOptions& options,
                    const std::function<void(int done, int all)>& progress) {
  const std::vector<Choice> choices = choices_of(file.network.graph, options.precision);
  std::vector<Candidate> candidates = candidates_of(choices);
  for (Candidate& candidate : candidates) CONCERTINA_TRY(load(file, options, candidate));
  const CounterRandom random(1);
  std::vector<float> images(static_cast<std::size_t>(options.batch) *
                            candidates[0].session->model().input_size());
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(4 * random.uniform(i) - 2);
  const int all = options.rounds * static_cast<int>(candidates.size());
  for (int done = 0; done < all;) {
    for (Candidate& candidate : candidates) {
      CONCERTINA_TRY(measure(options, images, candidate));
      progress(++done, all);
    }
  }
  Tuning tuning{.cpu = cpu_name(),
                .instruction_set = kernels::target_name(),
                .precision = options.precision,
                .threads = options.threads,
                .batch = options.batch,
                .layers = {}};
  for (const Choice& choice : choices) tuning.layers.emplace(choice.layer, best_of(choice, candidates));
  return tuning;
}

}  // namespace concertina::runtime
