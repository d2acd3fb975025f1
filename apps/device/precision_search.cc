#include "device/precision_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "base/try.h"
#include "profile/measure_subnets.h"
#include "quantization/divergence.h"
#include "runtime/model_impl.h"

namespace concertina::apps {
namespace {

using quantization::Combination;
using quantization::Estimate;
using quantization::kNoOption;
using quantization::LayerOption;
using quantization::LayerOptions;
using quantization::LayerPrecisions;
using quantization::MixedSubnet;

// Of a sub-net, from its fastest to its most accurate one.
constexpr int kSteps = 6;

class Search {
 public:
  Search(const onnx::ModelFile& file, const LayerPrecisions& layers, Accuracy& accuracy,
         const PrecisionSearchOptions& options, Progress& progress)
      : file_(file), layers_(layers), accuracy_(accuracy), options_(options), progress_(progress) {
    found_.images = accuracy.images();
    found_.loss_images = std::min(options.loss_images, accuracy.images());
  }

  Result<SearchedPrecisions> run() {
    RETURN_IF_ERROR(check_bytes());
    RETURN_IF_ERROR(measure_layers());
    propose();
    RETURN_IF_ERROR(measure_combinations());
    RETURN_IF_ERROR(choose());
    return std::move(found_);
  }

 private:
  int subnets() const { return static_cast<int>(file_.subnets.size()); }

  Status check_bytes() const {
    if (!options_.max_bytes) return {};
    std::int64_t least = layers_.other_bytes();
    for (const auto& layer : layers_.bytes()) least += *std::min_element(layer.begin(), layer.end());
    if (least <= *options_.max_bytes) return {};
    return Error{fmt::format(
        "the packed weights are estimated at {} bytes at least, which is more than --max-bytes {}", least,
        *options_.max_bytes)};
  }

  /// What a sub-net of the model that accuracy_ uses makes of the images, one after the other.
  Result<std::vector<std::vector<float>>> outputs(int subnet) {
    std::vector<std::vector<float>> outputs;
    RETURN_IF_ERROR(accuracy_.look(subnet, found_.loss_images, [&](std::span<const float> values) {
      outputs.emplace_back(values.begin(), values.end());
    }));
    return outputs;
  }

  /// Of the outputs, the mean over the images.
  Result<double> loss(const Model& model, const std::vector<std::vector<float>>& exact, int subnet) {
    const std::size_t classes = model.classes().size();
    double sum = 0;
    std::size_t next = 0;
    RETURN_IF_ERROR(accuracy_.look(subnet, found_.loss_images, [&](std::span<const float> rounded) {
      const std::span<const float> wanted = exact[next++];
      sum += classes == 0 ? quantization::relative_square(wanted, rounded)
                          : quantization::divergence(wanted.first(classes), rounded.first(classes),
                                                     model.outputs()[0].probabilities);
    }));
    return sum / static_cast<double>(found_.loss_images);
  }

  /// The loss of each layer of each sub-net in each precision, where all others are in fp32.
  Status measure_layers() {
    std::int64_t all = 0;
    for (int subnet = 0; subnet < subnets(); ++subnet) {
      for (const auto& options : layer_options_.emplace_back(layers_.times(subnet)))
        all += std::max<std::int64_t>(std::ssize(options) - 1, 0);
    }
    progress_.start("measure layers", all);
    for (int subnet = 0; subnet < subnets(); ++subnet) RETURN_IF_ERROR(measure_layers_of(subnet));
    return {};
  }

  Status measure_layers_of(int subnet) {
    std::vector<MixedSubnet> trials = {{subnet, layers_.all_in(Precision::fp32, subnet)}};
    std::vector<LayerOption*> tried;
    LayerOptions& all = layer_options_[static_cast<std::size_t>(subnet)];
    for (std::size_t layer = 0; layer < all.size(); ++layer) {
      for (std::size_t option = 1; option < all[layer].size(); ++option) {
        trials.push_back(trials.front());
        trials.back().options[layer] = static_cast<int>(option);
        tried.push_back(&all[layer][option]);
      }
    }
    ASSIGN_OR_RETURN(const auto model, model_of(file_, layers_, trials));
    RETURN_IF_ERROR(accuracy_.use(model));
    ASSIGN_OR_RETURN(const auto exact, outputs(0));
    for (std::size_t i = 0; i < tried.size(); ++i) {
      ASSIGN_OR_RETURN(tried[i]->loss, loss(*model, exact, static_cast<int>(i) + 1));
      progress_.update(++found_.layer_evaluations, fmt::format("sub-net {}", subnet));
    }
    return {};
  }

  void propose() {
    for (int subnet = 0; subnet < subnets(); ++subnet) {
      const LayerOptions& options = layer_options_[static_cast<std::size_t>(subnet)];
      const Combination exact = layers_.all_in(Precision::fp32, subnet);
      add(subnet, exact, Proposal::fp32);
      for (const auto& [precision, by] :
           {std::pair(Precision::bf16, Proposal::bf16), {Precision::int8, Proposal::int8}})
        if (layers_.has(precision)) add(subnet, layers_.all_in(precision, subnet), by);
      const double highest = quantization::estimate(options, exact).cost;
      for (const Estimate& one :
           quantization::at_even_costs(quantization::best_combinations(options), highest, kSteps))
        add(subnet, one.options, Proposal::search);
    }
    if (options_.max_bytes) propose_within(*options_.max_bytes);
    const double layer_share = static_cast<double>(found_.loss_images) / static_cast<double>(found_.images);
    const std::int64_t random =
        std::ssize(found_.combinations) +
        static_cast<std::int64_t>(
            layer_share * static_cast<double>(found_.layer_evaluations + std::ssize(found_.combinations)));
    for (std::int64_t i = 0; i < random; ++i) {
      const CounterRandom numbers(1, static_cast<std::uint64_t>(i));
      const auto subnet = static_cast<int>(i % subnets());
      add(subnet, quantization::random_combination(layer_options_[static_cast<std::size_t>(subnet)], numbers),
          Proposal::random);
    }
  }

  /// Combinations that all sub-nets share, so that no layer is packed twice: within the bytes the one with
  /// the least loss, and the fastest.
  void propose_within(std::int64_t most) {
    const auto shared = [&](auto term) {
      LayerOptions sums(layers_.layers().size());
      for (std::size_t layer = 0; layer < sums.size(); ++layer) {
        const std::vector<std::int64_t>& bytes = layers_.layers()[layer].bytes;
        for (std::size_t option = 0; option < bytes.size(); ++option) {
          LayerOption& sum =
              sums[layer].emplace_back(LayerOption{.cost = static_cast<double>(bytes[option])});
          for (const LayerOptions& options : layer_options_) {
            if (!options[layer].empty()) sum.loss += term(options[layer], option);
          }
        }
      }
      return sums;
    };
    const auto losses = shared([](const auto& options, std::size_t i) { return options[i].loss; });
    const auto times =
        shared([](const auto& options, std::size_t i) { return options[i].cost / options[0].cost; });
    const auto room = static_cast<double>(most - layers_.other_bytes());
    for (const LayerOptions& sums : {losses, times}) {
      const std::vector<Estimate> best = quantization::best_combinations(sums);
      const auto beyond =
          std::find_if(best.begin(), best.end(), [&](const Estimate& one) { return one.cost > room; });
      for (int subnet = 0; subnet < subnets() && beyond != best.begin(); ++subnet) {
        Combination options = std::prev(beyond)->options;
        for (std::size_t layer = 0; layer < options.size(); ++layer) {
          if (layer_options_[static_cast<std::size_t>(subnet)][layer].empty()) options[layer] = kNoOption;
        }
        add(subnet, std::move(options), Proposal::search);
      }
    }
  }

  /// Unless it is there. Random search has to find what it finds.
  void add(int subnet, Combination options, Proposal by) {
    const auto same = [&](const MeasuredCombination& one) {
      return one.mixed.subnet == subnet && one.mixed.options == options;
    };
    if (by != Proposal::random && std::any_of(found_.combinations.begin(), found_.combinations.end(), same))
      return;
    MeasuredCombination combination{.mixed = {subnet, std::move(options)}, .by = by};
    combination.estimated_loss =
        quantization::estimate(layer_options_[static_cast<std::size_t>(subnet)], combination.mixed.options)
            .loss;
    combination.weight_bytes = layers_.weight_bytes(combination.mixed);
    found_.combinations.push_back(std::move(combination));
  }

  Status measure_combinations() {
    std::vector<MixedSubnet> all;
    for (const MeasuredCombination& one : found_.combinations) all.push_back(one.mixed);
    ASSIGN_OR_RETURN(const auto model, model_of(file_, layers_, all));
    RETURN_IF_ERROR(accuracy_.use(model));
    progress_.start("measure combinations", std::ssize(all));
    for (std::size_t i = 0; i < all.size(); ++i) {
      MeasuredCombination& one = found_.combinations[i];
      ASSIGN_OR_RETURN(one.accuracy, accuracy_.of(static_cast<int>(i)));
      progress_.update(static_cast<std::int64_t>(i) + 1, fmt::format("{:.2f} %", 100 * one.accuracy));
    }
    RETURN_IF_ERROR(measure_losses(*model));
    const profile::MeasureOptions timing{
        .batches = {options_.batch}, .threads = {options_.threads}, .seconds = options_.seconds};
    ASSIGN_OR_RETURN(const auto times, profile::measure_subnets(model, timing, SteadyClock(), progress_));
    for (std::size_t i = 0; i < all.size(); ++i)
      found_.combinations[i].milliseconds = times.subnets[i].times.median();
    return {};
  }

  Status measure_losses(const Model& model) {
    for (int subnet = 0; subnet < subnets(); ++subnet) {
      std::vector<std::vector<float>> exact;
      for (std::size_t i = 0; i < found_.combinations.size(); ++i) {
        MeasuredCombination& one = found_.combinations[i];
        if (one.mixed.subnet != subnet || one.by == Proposal::random) continue;
        if (one.by == Proposal::fp32) {
          ASSIGN_OR_RETURN(exact, outputs(static_cast<int>(i)));
        } else {
          ASSIGN_OR_RETURN(one.loss, loss(model, exact, static_cast<int>(i)));
        }
      }
    }
    return {};
  }

  /// Those of a sub-net that lose little enough, as places in the list.
  std::vector<std::size_t> allowed(int subnet) const {
    std::vector<std::size_t> places;
    double exact = 0;
    for (std::size_t i = 0; i < found_.combinations.size(); ++i) {
      const MeasuredCombination& one = found_.combinations[i];
      if (one.mixed.subnet != subnet || one.by == Proposal::random) continue;
      if (one.by == Proposal::fp32) exact = one.accuracy;
      if (exact - one.accuracy <= options_.max_loss + 1e-9) places.push_back(i);
    }
    return places;
  }

  Status choose() {
    std::vector<std::vector<std::size_t>> places;
    std::vector<std::vector<quantization::Candidate>> candidates;
    for (int subnet = 0; subnet < subnets(); ++subnet) {
      auto& of_subnet = candidates.emplace_back();
      for (const std::size_t place : places.emplace_back(allowed(subnet))) {
        const MeasuredCombination& one = found_.combinations[place];
        of_subnet.push_back({one.mixed.options, one.milliseconds});
      }
    }
    const std::int64_t most = options_.max_bytes.value_or(std::numeric_limits<std::int64_t>::max());
    const auto chosen =
        quantization::choose_within(candidates, layers_.bytes(), most - layers_.other_bytes());
    if (!chosen) {
      return Error{fmt::format(
          "no combinations that were measured keep both --max-bytes {} and --max-loss {}; allow more of one of them",
          most, 100 * options_.max_loss)};
    }
    std::vector<MixedSubnet> table;
    for (std::size_t i = 0; i < places.size(); ++i) {
      MeasuredCombination& one = found_.combinations[places[i][(*chosen)[i]]];
      one.chosen = true;
      table.push_back(one.mixed);
    }
    found_.tuning = layers_.tuning_of(table);
    ASSIGN_OR_RETURN(const auto model, model_of(file_, layers_, table));
    found_.bytes = static_cast<std::int64_t>(model->packed_bytes());
    return {};
  }

  const onnx::ModelFile& file_;
  const LayerPrecisions& layers_;
  Accuracy& accuracy_;
  const PrecisionSearchOptions& options_;
  Progress& progress_;
  std::vector<LayerOptions> layer_options_;  ///< by sub-net
  SearchedPrecisions found_;
};

}  // namespace

Result<std::shared_ptr<const Model>> model_of(const onnx::ModelFile& file, const LayerPrecisions& layers,
                                              std::span<const MixedSubnet> subnets) {
  onnx::ModelFile mixed = file;
  mixed.subnets.clear();
  for (const MixedSubnet& one : subnets) mixed.subnets.push_back(file.subnets[one.subnet]);
  const runtime::Tuning tuning = layers.tuning_of(subnets);
  return runtime::make_model(mixed, Precision::automatic, tuning.policy());
}

Result<SearchedPrecisions> search_precisions(const onnx::ModelFile& file, const LayerPrecisions& layers,
                                             Accuracy& accuracy, const PrecisionSearchOptions& options,
                                             Progress& progress) {
  return Search(file, layers, accuracy, options, progress).run();
}

}  // namespace concertina::apps
