#include "cascade/choose.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cascade/replay.h"

namespace concertina::cascade {
namespace {

constexpr int kMargins = 201;
constexpr double kMarginStep = 0.0005;  // of accuracy

/// A part of the images, and what was chosen on the rest.
struct Fold {
  std::vector<int> chosen_on, held_out;
  std::vector<FrontPoint> front;
};

/// What cascades did on images that they had not seen.
struct HeldOut {
  double correct = 0, reference_correct = 0;
  double surplus = 0, squares = 0;  ///< of correctness over the goal: its sum and that of its squares
  double ms = 0;                    ///< all sums over images
};

class Chooser {
 public:
  Chooser(const LabelledLogits& data, const CascadeGoal& goal, const FrontOptions& options, int folds,
          const LabelledLogits::Column& reference)
      : data_(data), goal_(goal), options_(options), reference_(reference), all_rows_(data.labels.size()) {
    std::iota(all_rows_.begin(), all_rows_.end(), 0);
    const CascadeStage alone[] = {{.look = reference.look, .blend = {}}};
    reference_correct_ = replay(data, all_rows_, alone, options.measure).correct;
    folds_.resize(static_cast<std::size_t>(folds));
    for (const int row : all_rows_) {
      for (int fold = 0; fold < folds; ++fold) {
        Fold& one = folds_[fold];
        (row % folds == fold ? one.held_out : one.chosen_on).push_back(row);
      }
    }
  }

  void search(ThreadPool& threads) {
    threads.parallel_for(static_cast<int>(folds_.size()) + 1, [&](int i) {
      if (i == 0) {
        front_ = cascade_front(data_, all_rows_, options_);
      } else {
        Fold& fold = folds_[i - 1];
        fold.front = cascade_front(data_, fold.chosen_on, options_);
      }
    });
  }

  Result<CascadeChoice> choose() const {
    if (goal_.ms) return of_time();
    for (int step = 0; step < kMargins; ++step) {
      const double margin = step * kMarginStep;
      const FrontPoint* point = pick(front_, all_rows_, margin);
      if (point == nullptr) break;
      const HeldOut seen = judge_margin(margin);
      if (reaches(seen)) return choice(*point, margin, seen);
    }
    return reference_alone();
  }

 private:
  double target(const std::vector<int>& rows) const {
    if (goal_.accuracy) return *goal_.accuracy;
    int correct = 0;
    for (const int row : rows) correct += reference_correct_[row];
    return static_cast<double>(correct) / static_cast<double>(rows.size()) - goal_.tolerance;
  }

  /// The point of a front on `rows` that reaches the goal there with this margin; null: none.
  const FrontPoint* pick(const std::vector<FrontPoint>& front, const std::vector<int>& rows,
                         double margin) const {
    if (goal_.ms) {
      const auto above = std::find_if(front.begin(), front.end(),
                                      [&](const FrontPoint& point) { return point.ms > *goal_.ms; });
      return above == front.begin() ? nullptr : &*std::prev(above);
    }
    // The least bit forgives the rounding of the sum.
    const double needed = (target(rows) + margin) * static_cast<double>(rows.size()) - 1e-6;
    const auto found = std::find_if(front.begin(), front.end(),
                                    [&](const FrontPoint& point) { return point.correct >= needed; });
    return found == front.end() ? nullptr : &*found;
  }

  HeldOut judge_margin(double margin) const {
    HeldOut sum;
    for (const Fold& fold : folds_) {
      const FrontPoint* point = pick(fold.front, fold.chosen_on, margin);
      if (point == nullptr) point = goal_.ms ? &fold.front.front() : &fold.front.back();
      const Replay seen = replay(data_, fold.held_out, point->stages, options_.measure);
      sum.ms += seen.ms * static_cast<double>(fold.held_out.size());
      for (std::size_t i = 0; i < fold.held_out.size(); ++i) {
        const int reference = reference_correct_[fold.held_out[i]];
        const double wanted = goal_.accuracy ? *goal_.accuracy : reference - goal_.tolerance;
        const double surplus = seen.correct[i] - wanted;
        sum.correct += seen.correct[i];
        sum.reference_correct += reference;
        sum.surplus += surplus;
        sum.squares += surplus * surplus;
      }
    }
    return sum;
  }

  bool reaches(const HeldOut& seen) const {
    const auto n = static_cast<double>(data_.images());
    const double mean = seen.surplus / n, variance = std::max(0.0, seen.squares / n - mean * mean);
    return mean + 1e-9 >= goal_.spare_errors * std::sqrt(variance / n);
  }

  CascadeChoice choice(const FrontPoint& point, double margin, const HeldOut& seen) const {
    const auto n = static_cast<double>(data_.images());
    return {.cascade = {.model = {},
                        .measure = options_.measure,
                        .stages = point.stages,
                        .promise = {.images = data_.images(),
                                    .reference = goal_.reference,
                                    .accuracy = seen.correct / n,
                                    .reference_accuracy = seen.reference_correct / n,
                                    .ms = seen.ms / n,
                                    .reference_ms = reference_.ms}},
            .margin = margin,
            .stopped = replay(data_, all_rows_, point.stages, options_.measure).stopped};
  }

  Result<CascadeChoice> of_time() const {
    const FrontPoint* point = pick(front_, all_rows_, 0);
    if (point != nullptr) return choice(*point, 0, judge_margin(0));
    return Error{fmt::format("no cascade has a mean time of {} ms; the fastest takes {:.4f} ms", *goal_.ms,
                             front_.front().ms)};
  }

  /// The cascade that is none: what is left if nothing faster is as accurate.
  Result<CascadeChoice> reference_alone() const {
    if (goal_.accuracy || goal_.spare_errors > 0) {
      return Error{
          fmt::format("no cascade is that accurate on images that it was not chosen on; "
                      "the most accurate answers {:.2f} % of those that it was chosen on",
                      100.0 * front_.back().correct / data_.images())};
    }
    const Blend blend = fit_blend(reference_.logits, {}, data_.labels, all_rows_);
    FrontPoint alone{.stages = {{.look = reference_.look, .blend = blend}}, .ms = reference_.ms};
    HeldOut seen{.ms = reference_.ms * data_.images()};
    for (const std::uint8_t correct : reference_correct_) seen.correct += correct;
    seen.reference_correct = seen.correct;
    return choice(alone, 0, seen);
  }

  const LabelledLogits& data_;
  const CascadeGoal& goal_;
  const FrontOptions& options_;
  const LabelledLogits::Column& reference_;
  std::vector<int> all_rows_;
  std::vector<std::uint8_t> reference_correct_;
  std::vector<Fold> folds_;
  std::vector<FrontPoint> front_;  // on all images
};

}  // namespace

Result<CascadeChoice> choose_cascade(const LabelledLogits& data, const CascadeGoal& goal,
                                     const FrontOptions& options, int folds, ThreadPool& threads) {
  const LabelledLogits::Column* reference = find_column(data, {.subnet = goal.reference});
  if (reference == nullptr)
    return Error{fmt::format("there is no sub-net {} to compare with", goal.reference)};
  Chooser chooser(data, goal, options, folds, *reference);
  chooser.search(threads);
  return chooser.choose();
}

}  // namespace concertina::cascade
