#include "runtime/tune.h"

#include <algorithm>

#include "base/machine.h"
#include "base/random.h"
#include "base/statistics.h"
#include "base/try.h"
#include "concertina/session.h"
#include "kernels/layout.h"
#include "runtime/calibration.h"
#include "runtime/model_impl.h"

namespace concertina::runtime {
namespace {

// Differences below it are noise, and the rule of thumb stands.
constexpr double kMinGain = 0.02;

// A kernel is tried in every so many-th layer at a time, so that the others leave the caches as they will:
// some kernels read four times the weights.
constexpr int kGroups = 4;

/// The layers that leave a choice, in order, with their packings, the first by rule of thumb.
struct Choice {
  std::string layer;
  std::vector<Packing> packings;
};

std::vector<Choice> choices_of(const onnx::ModelFile& file, Precision precision) {
  const Graph& graph = file.network.graph;
  const auto calibrated = calibrated_layers(file);
  std::vector<Choice> choices;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const std::vector<LayerFilter> filters = layer_filters(graph, id, precision, calibrated(id));
    if (filters.empty()) continue;
    const LayerFilter& first = filters.front();
    const bool direct = first.packings.front() == Packing::direct;
    const bool choice = first.packings.size() > 1 || (direct && planar_suits(first.filter, first.window));
    if (!choice) continue;
    choices.push_back({graph.node(id).name, first.packings});
  }
  return choices;
}

/// A layer in one sub-net with one candidate.
struct Trial {
  ConvKernel kernel = ConvKernel::direct;
  std::vector<double> milliseconds;  ///< median of each round
};

/// A model in which some layers, and only these are measured, have kernels of their own.
struct Candidate {
  std::map<std::string, Packing> layers;
  std::size_t choice = 0;                            ///< in the order of the rules of thumb
  std::map<std::string, std::vector<Trial>> trials;  ///< by layer, of each sub-net
  bool differs = true;                               ///< some layer in some sub-net has so many choices
};

// What conv_choices() returns at most.
constexpr std::size_t kMaxChoices = 3;

/// The rules of thumb, then every other packing in every group of layers, each with every choice of kernels.
std::vector<Candidate> candidates_of(const std::vector<Choice>& choices) {
  std::map<std::pair<Packing, int>, Candidate> others;
  std::vector<Candidate> packings(1);
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const auto& [layer, possible] = choices[i];
    packings[0].layers.emplace(layer, possible[0]);
    for (std::size_t p = 1; p < possible.size(); ++p) {
      others[{possible[p], static_cast<int>(i) % kGroups}].layers.emplace(layer, possible[p]);
    }
  }
  for (auto& [key, candidate] : others) packings.push_back(std::move(candidate));
  std::vector<Candidate> candidates = packings;
  for (std::size_t choice = 1; choice < kMaxChoices; ++choice) {
    for (int group = 0; group < kGroups; ++group) {
      Candidate some{.layers = {}, .choice = choice, .trials = {}};
      for (std::size_t i = 0; i < choices.size(); ++i) {
        if (static_cast<int>(i) % kGroups == group)
          some.layers.emplace(choices[i].layer, choices[i].packings[0]);
      }
      candidates.push_back(std::move(some));
    }
    for (std::size_t p = 1; p < packings.size(); ++p) {
      candidates.push_back(packings[p]);
      candidates.back().choice = choice;
    }
  }
  return candidates;
}

/// Picks the candidate's kernels, and notes which they are.
KernelPolicy policy_of(Candidate& candidate, std::size_t subnets) {
  for (const auto& [layer, packing] : candidate.layers) candidate.trials[layer].resize(subnets);
  candidate.differs = candidate.choice == 0;
  return {.packings =
              [&candidate](const Node& node, const LayerFilter& filter) {
                const auto layer = candidate.layers.find(node.name);
                return std::vector{layer == candidate.layers.end() ? filter.packings.front() : layer->second};
              },
          .kernels = [&candidate](int subnet) -> ChooseKernel {
            return [&candidate, subnet](const Node& node, std::span<const ConvChoice> choices) {
              if (!candidate.layers.contains(node.name)) return choices.front();
              const bool exists = candidate.choice < choices.size();
              if (exists) candidate.differs = true;
              const ConvChoice choice = exists ? choices[candidate.choice] : choices.front();
              candidate.trials[node.name][subnet].kernel = choice.kernel;
              return choice;
            };
          }};
}

/// One model at a time is in memory.
Status measure(const onnx::ModelFile& file, const TuneOptions& options, Candidate& candidate) {
  ASSIGN_OR_RETURN(const auto model,
                   make_model(file, options.precision, policy_of(candidate, file.subnets.size())));
  if (!candidate.differs) return {};
  ASSIGN_OR_RETURN(Session session,
                   Session::make(model, {.threads = options.threads, .max_batch = options.batch}));
  const CounterRandom random(1);
  std::vector<float> images(static_cast<std::size_t>(options.batch) * model->input_size());
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(4 * random.uniform(i) - 2);
  for (std::size_t i = 0; i < file.subnets.size(); ++i) {
    ASSIGN_OR_RETURN(const auto steps,
                     session.profile(images, options.batch, static_cast<int>(i), options.runs));
    std::map<std::string, double> sums;  // a layer may take several steps
    for (const StepTime& step : steps) {
      // Steps that are no nodes have names too.
      if (step.macs > 0 && candidate.layers.contains(step.name)) sums[step.name] += step.median_ms;
    }
    for (auto& [layer, trials] : candidate.trials) {
      // The clock may not have moved, or the sub-net leaves the layer out.
      trials[i].milliseconds.push_back(std::max(sums[layer], 1e-6));
    }
  }
  return {};
}

double mean_share(const std::vector<double>& times, const std::vector<double>& of) {
  double sum = 0;
  for (std::size_t i = 0; i < times.size(); ++i) sum += times[i] / of[i];
  return sum / static_cast<double>(times.size());
}

/// One packing of a layer, each sub-net with the kernel that is fastest for it.
struct PackingTrial {
  std::vector<ConvKernel> kernels;
  std::vector<double> milliseconds;
};

std::map<Packing, PackingTrial> trials_of(const Choice& choice, const std::vector<Candidate>& candidates) {
  std::map<Packing, PackingTrial> of;
  for (const Candidate& candidate : candidates) {  // those with the rules' kernels come first
    const auto layer = candidate.layers.find(choice.layer);
    if (layer == candidate.layers.end() || !candidate.differs) continue;
    const std::vector<Trial>& trials = candidate.trials.at(choice.layer);
    PackingTrial& best = of[layer->second];
    for (std::size_t i = 0; i < trials.size(); ++i) {
      const double ms = quantile(trials[i].milliseconds, 0.5);
      if (best.kernels.size() == i) {
        best.kernels.push_back(trials[i].kernel);
        best.milliseconds.push_back(ms);
      } else if (trials[i].kernel != best.kernels[i] && ms < (1 - kMinGain) * best.milliseconds[i]) {
        best.kernels[i] = trials[i].kernel;
        best.milliseconds[i] = ms;
      }
    }
  }
  return of;
}

LayerTuning best_of(const Choice& choice, const std::vector<Candidate>& candidates) {
  const std::map<Packing, PackingTrial> trials = trials_of(choice, candidates);
  LayerTuning layer{.best = choice.packings.front()};
  const std::vector<double>& rule = trials.at(choice.packings.front()).milliseconds;
  double least = 1 - kMinGain;
  for (const auto& [packing, trial] : trials) {
    layer.milliseconds.emplace(packing, trial.milliseconds);
    layer.fastest.emplace(packing, trial.kernels);
    const double share = mean_share(trial.milliseconds, rule);
    if (share >= least) continue;
    least = share;
    layer.best = packing;
  }
  layer.kernels = trials.at(layer.best).kernels;
  return layer;
}

}  // namespace

Result<Tuning> tune(const onnx::ModelFile& file, const TuneOptions& options,
                    const std::function<void(int done, int all)>& progress) {
  const std::vector<Choice> choices = choices_of(file, options.precision);
  std::vector<Candidate> candidates = candidates_of(choices);
  const int all = options.rounds * static_cast<int>(candidates.size());
  for (int done = 0; done < all;) {
    for (Candidate& candidate : candidates) {
      if (done < static_cast<int>(candidates.size()) || candidate.differs) {
        RETURN_IF_ERROR(measure(file, options, candidate));
      }
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
