#include "device/cascade_measure.h"

#include <algorithm>

#include "base/statistics.h"
#include "base/try.h"
#include "cascade/runner.h"
#include "common/images.h"

namespace concertina::apps {
namespace {

using cascade::CascadeDeadline;
using cascade::CascadeRun;

/// One of the two on all images.
struct Side {
  std::vector<std::vector<double>> ms;  // of each image, by round
  std::vector<int> labels;
  std::int64_t late = 0;

  explicit Side(std::size_t images) : ms(images), labels(images, -1) {}

  void note(std::size_t image, int label, Time took, const std::optional<Time>& limit) {
    ms[image].push_back(to_ms(took));
    labels[image] = label;
    if (limit && (label < 0 || took > *limit)) ++late;
  }
};

class Comparison {
 public:
  static Result<Comparison> make(Session& session, const cascade::Cascade& cascade,
                                 std::vector<control::SubnetProfile> sizes, const data::ImageSet& set,
                                 const CascadeMeasureOptions& options) {
    auto parts = std::make_unique<Parts>(session, std::move(sizes));
    const cascade::RunTimes* times = options.deadline_ms ? &parts->times : nullptr;
    ASSIGN_OR_RETURN(auto runner, cascade::CascadeRunner::make(cascade, session.model(), parts->runner,
                                                               parts->clock, times));
    return Comparison(session, cascade, std::move(parts), std::move(runner), set, options);
  }

  Status run(Progress& progress) {
    const auto images = static_cast<std::size_t>(set_.size()),
               block = static_cast<std::size_t>(options_.block);
    progress.start("cascade", set_.size() * options_.rounds);
    for (int round = 0; round < options_.rounds; ++round) {
      for (std::size_t begin = 0; begin < images; begin += block) {
        const std::size_t end = std::min(images, begin + block);
        normalize(begin, end);
        const bool first = (begin / block + static_cast<std::size_t>(round)) % 2 == 0;
        RETURN_IF_ERROR(first ? run_cascade(begin, end) : run_reference(begin, end));
        RETURN_IF_ERROR(first ? run_reference(begin, end) : run_cascade(begin, end));
        progress.update(round * set_.size() + static_cast<std::int64_t>(end), "");
      }
    }
    return {};
  }

  MeasuredCascade result() const {
    MeasuredCascade result{.images = static_cast<int>(set_.size()),
                           .cascade = summary(cascade_side_),
                           .reference = summary(reference_side_),
                           .stopped = stopped_,
                           .cut_short = cut_short_};
    result.ratio = result.cascade.ms / result.reference.ms;
    const std::vector<double> ratios = block_ratios();
    result.ratio_low = quantile(ratios, 0.05);
    result.ratio_high = quantile(ratios, 0.95);
    for (std::size_t i = 0; i < set_.labels.size(); ++i) {
      const int label = set_.labels[i], one = cascade_side_.labels[i], other = reference_side_.labels[i];
      result.only_cascade_right += one == label && other != label ? 1 : 0;
      result.only_reference_right += one != label && other == label ? 1 : 0;
      result.other_label += one != other ? 1 : 0;
    }
    return result;
  }

 private:
  /// What the runner points to.
  struct Parts {
    Parts(Session& session, std::vector<control::SubnetProfile> sizes)
        : runner(session), times(std::move(sizes)) {}
    cascade::SessionImageRunner runner;
    SteadyClock clock;
    cascade::SlowedTimes times;
  };

  Comparison(Session& session, const cascade::Cascade& cascade, std::unique_ptr<Parts> parts,
             cascade::CascadeRunner runner, const data::ImageSet& set, const CascadeMeasureOptions& options)
      : session_(&session),
        cascade_(cascade),
        parts_(std::move(parts)),
        runner_(std::move(runner)),
        set_(set),
        options_(options),
        pixels_(static_cast<std::size_t>(options.block) * set.image_bytes()),
        outputs_(session.model().output_size()),
        stopped_(cascade.stages.size() + 1, 0),
        cascade_side_(set.labels.size()),
        reference_side_(set.labels.size()) {
    if (options.deadline_ms) limit_ = from_ms(*options.deadline_ms);
  }

  std::span<const float> image(std::size_t begin, std::size_t i) const {
    return std::span(pixels_).subspan((i - begin) * set_.image_bytes(), set_.image_bytes());
  }

  void normalize(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      normalize_pixels(set_.image(static_cast<std::int64_t>(i)), session_->model().image(),
                       std::span(pixels_).subspan((i - begin) * set_.image_bytes(), set_.image_bytes()));
    }
  }

  Status run_cascade(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const Time start = parts_->clock.now();
      std::optional<cascade::CascadeDeadline> deadline;
      if (limit_) deadline = cascade::CascadeDeadline{.at = start + *limit_};
      ASSIGN_OR_RETURN(const cascade::CascadeRun answer, runner_.run(image(begin, i), deadline));
      cascade_side_.note(i, answer.label, parts_->clock.now() - start, limit_);
      ++stopped_[answer.stages];
      cut_short_ += answer.cut_short ? 1 : 0;
      if (!limit_) continue;
      for (std::size_t k = 0; k < answer.stage_times.size(); ++k) {
        parts_->times.observe(cascade_.stages[k].look.subnet, answer.stage_times[k], parts_->clock.now());
      }
    }
    return {};
  }

  Status run_reference(std::size_t begin, std::size_t end) {
    const std::size_t classes = session_->model().classes().size();
    for (std::size_t i = begin; i < end; ++i) {
      const Time start = parts_->clock.now();
      RETURN_IF_ERROR(session_->run(image(begin, i), 1, cascade_.promise.reference, outputs_));
      const auto logits = std::span(outputs_).first(classes);
      const auto label = std::max_element(logits.begin(), logits.end()) - logits.begin();
      reference_side_.note(i, static_cast<int>(label), parts_->clock.now() - start, limit_);
    }
    return {};
  }

  double block_ms(const Side& side, std::size_t begin, std::size_t end) const {
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i) sum += quantile(side.ms[i], 0.5);
    return sum;
  }

  std::vector<double> block_ratios() const {
    const auto images = set_.labels.size(), block = static_cast<std::size_t>(options_.block);
    std::vector<double> ratios;
    for (std::size_t begin = 0; begin < images; begin += block) {
      const std::size_t end = std::min(images, begin + block);
      ratios.push_back(block_ms(cascade_side_, begin, end) / block_ms(reference_side_, begin, end));
    }
    return ratios;
  }

  MeasuredSide summary(const Side& side) const {
    const auto images = static_cast<double>(set_.size());
    double right = 0;
    for (std::size_t i = 0; i < set_.labels.size(); ++i) right += side.labels[i] == set_.labels[i] ? 1 : 0;
    return {.accuracy = right / images,
            .ms = block_ms(side, 0, set_.labels.size()) / images,
            .in_time = 1 - static_cast<double>(side.late) / (images * options_.rounds)};
  }

  Session* session_;
  cascade::Cascade cascade_;
  std::unique_ptr<Parts> parts_;
  cascade::CascadeRunner runner_;
  const data::ImageSet& set_;
  CascadeMeasureOptions options_;
  std::optional<Time> limit_;
  std::vector<float> pixels_, outputs_;
  std::vector<std::int64_t> stopped_;
  std::int64_t cut_short_ = 0;
  Side cascade_side_, reference_side_;
};

}  // namespace

Result<MeasuredCascade> measure_cascade(Session& session, const cascade::Cascade& cascade,
                                        std::vector<control::SubnetProfile> sizes, const data::ImageSet& set,
                                        const CascadeMeasureOptions& options, Progress& progress) {
  ASSIGN_OR_RETURN(Comparison comparison, Comparison::make(session, cascade, std::move(sizes), set, options));
  RETURN_IF_ERROR(comparison.run(progress));
  return comparison.result();
}

}  // namespace concertina::apps
