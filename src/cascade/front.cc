#include "cascade/front.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "cascade/replay.h"

namespace concertina::cascade {
namespace {

/// A stage as the search sees it: its images sorted.
struct Ranked {
  Look look;
  double ms = 0;
  ChainStage stage;
  std::vector<int> order;    // the rows that count, the most confident first
  std::vector<double> grid;  // thresholds, falling

  double confidence(int image) const { return stage.confidence[image]; }
  int correct(int image) const { return stage.correct[image]; }
};

/// What images cost and earn that have left a chain, or all that have passed its first stages.
struct Tally {
  int correct = 0;
  double ms = 0;  // summed over images
};

class Search {
 public:
  Search(const LabelledLogits& data, std::span<const int> images, const FrontOptions& options)
      : data_(data),
        images_(images),
        options_(options),
        best_(images.size() + 1, FrontPoint{.stages = {}, .ms = std::numeric_limits<double>::infinity()}) {
    chain_.reserve(static_cast<std::size_t>(options.max_stages));
  }

  /// Tries every chain that goes on from this one with columns before `below`.
  void extend(int below) {
    for (int column = below - 1; column >= 0; --column) {
      const bool mirrored = data_.columns[column].look.mirrored;
      if (mirrored && (!options_.mirror || chain_.empty())) continue;
      chain_.push_back(rank(column));
      thresholds_.assign(chain_.size(), 0);
      descend(0, {images_.begin(), images_.end()}, {});
      if (static_cast<int>(chain_.size()) < options_.max_stages) extend(column);
      chain_.pop_back();
    }
  }

  std::vector<FrontPoint> front() && {
    std::vector<FrontPoint> points;
    double least = std::numeric_limits<double>::infinity();
    for (auto point = best_.rbegin(); point != best_.rend(); ++point) {
      if (!(point->ms < least)) continue;
      least = point->ms;
      points.push_back(std::move(*point));
    }
    std::reverse(points.begin(), points.end());
    return points;
  }

 private:
  Ranked rank(int index) const {
    const LabelledLogits::Column& column = data_.columns[index];
    std::span<const float> previous;
    if (!chain_.empty() && options_.blend) previous = chain_.back().stage.scores;
    const Blend blend = fit_blend(column.logits, previous, data_.labels, images_);
    Ranked ranked{.look = column.look,
                  .ms = column.ms,
                  .stage = run_stage(data_, column, previous, blend, options_.measure),
                  .order = {images_.begin(), images_.end()},
                  .grid = {}};
    std::stable_sort(ranked.order.begin(), ranked.order.end(),
                     [&](int a, int b) { return ranked.confidence(a) > ranked.confidence(b); });
    for (int q = 1; q < options_.quantiles; ++q) {
      const std::size_t at =
          ranked.order.size() * static_cast<std::size_t>(q) / static_cast<std::size_t>(options_.quantiles);
      ranked.grid.push_back(ranked.confidence(ranked.order[at]));
    }
    return ranked;
  }

  /// Tries the thresholds of the stages from `level` on for the images that reach it.
  void descend(std::size_t level, const std::vector<int>& alive, Tally gone) {
    const Ranked& stage = chain_[level];
    gone.ms += stage.ms * static_cast<double>(alive.size());
    if (level + 1 == chain_.size()) {
      for (const int image : alive) gone.correct += stage.correct(image);
      return note(gone);
    }
    if (level + 2 == chain_.size()) return sweep(alive, gone);
    for (const double threshold : stage.grid) {
      std::vector<int> rest;
      Tally then = gone;
      for (const int image : alive) {
        if (stage.confidence(image) >= threshold) {
          then.correct += stage.correct(image);
        } else {
          rest.push_back(image);
        }
      }
      thresholds_[level] = threshold;
      descend(level + 1, rest, then);
    }
  }

  /// Tries every threshold of the stage before the last.
  void sweep(const std::vector<int>& alive, Tally gone) {
    const Ranked &stage = chain_[chain_.size() - 2], &last = chain_.back();
    alive_.assign(data_.labels.size(), 0);
    for (const int image : alive) {
      alive_[image] = 1;
      gone.correct += last.correct(image);
    }
    gone.ms += last.ms * static_cast<double>(alive.size());
    int before = -1;
    for (const int image : stage.order) {
      if (!alive_[image]) continue;
      if (before >= 0 && stage.confidence(image) < stage.confidence(before)) {
        thresholds_[chain_.size() - 2] = (stage.confidence(image) + stage.confidence(before)) / 2;
        note(gone);
      }
      gone.correct += stage.correct(image) - last.correct(image);
      gone.ms -= last.ms;
      before = image;
    }
  }

  void note(const Tally& all) {
    FrontPoint& best = best_[all.correct];
    const double ms = all.ms / static_cast<double>(images_.size());
    if (!(ms < best.ms)) return;
    best = {.stages = {}, .correct = all.correct, .ms = ms};
    for (std::size_t i = 0; i < chain_.size(); ++i) {
      best.stages.push_back(
          {.look = chain_[i].look, .blend = chain_[i].stage.blend, .threshold = thresholds_[i]});
    }
  }

  const LabelledLogits& data_;
  const std::span<const int> images_;
  const FrontOptions& options_;
  std::vector<Ranked> chain_;
  std::vector<double> thresholds_;
  std::vector<std::uint8_t> alive_;
  std::vector<FrontPoint> best_;  // by the number of correct answers
};

}  // namespace

std::vector<FrontPoint> cascade_front(const LabelledLogits& data, std::span<const int> images,
                                      const FrontOptions& options) {
  Search search(data, images, options);
  search.extend(static_cast<int>(data.columns.size()));
  return std::move(search).front();
}

}  // namespace concertina::cascade
