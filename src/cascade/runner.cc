#include "cascade/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/try.h"

namespace concertina::cascade {

Result<CascadeRunner> CascadeRunner::make(const Cascade& cascade, const Model& model, ImageRunner& runner,
                                          const Clock& clock, const RunTimes* times) {
  RETURN_IF_ERROR(cascade.check(model));
  if (model.inputs().size() != 1 || model.classes().size() < 2) {
    return Error{"a cascade needs a model of one image that tells classes apart"};
  }
  return CascadeRunner(cascade, model, runner, clock, times);
}

CascadeRunner::CascadeRunner(const Cascade& cascade, const Model& model, ImageRunner& runner,
                             const Clock& clock, const RunTimes* times)
    : cascade_(cascade),
      width_(model.image().width),
      probabilities_(model.outputs()[0].probabilities),
      runner_(&runner),
      clock_(&clock),
      times_(times),
      mirror_(model.input_size()),
      outputs_(model.output_size()),
      scores_(model.classes().size()),
      stage_times_(cascade.stages.size()) {}

std::span<const float> CascadeRunner::seen(std::span<const float> image, const Look& look) {
  if (!look.mirrored) return image;
  for (std::size_t begin = 0; begin < image.size(); begin += static_cast<std::size_t>(width_)) {
    const auto row = image.subspan(begin, static_cast<std::size_t>(width_));
    std::reverse_copy(row.begin(), row.end(), mirror_.begin() + static_cast<std::ptrdiff_t>(begin));
  }
  return mirror_;
}

Result<CascadeRun> CascadeRunner::run(std::span<const float> image,
                                      const std::optional<CascadeDeadline>& deadline) {
  if (deadline && times_ == nullptr)
    return Error{"a cascade with a deadline needs the times of its sub-nets"};
  if (image.size() != mirror_.size()) {
    return Error{fmt::format("there are {} floats of an image where the model takes {}", image.size(),
                             mirror_.size())};
  }
  std::fill(scores_.begin(), scores_.end(), 0.0F);
  CascadeRun answer;
  const Time start = clock_->now();
  Time now = start;
  for (std::size_t k = 0; k < cascade_.stages.size(); ++k) {
    const CascadeStage& stage = cascade_.stages[k];
    answer.cut_short =
        deadline && now + times_->predict(stage.look.subnet, deadline->quantile) > deadline->at;
    if (answer.cut_short) break;
    RETURN_IF_ERROR(runner_->run(seen(image, stage.look), stage.look.subnet, outputs_));
    const auto logits = std::span(outputs_).first(scores_.size());
    if (probabilities_) to_scores(logits);
    blend_into(stage.blend, logits, scores_);
    const Judgement verdict = judge(scores_, cascade_.measure);
    const Time then = clock_->now();
    stage_times_[k] = then - std::exchange(now, then);
    answer.label = verdict.label;
    answer.confidence = verdict.confidence;
    ++answer.stages;
    if (verdict.confidence >= stage.threshold) break;
  }
  answer.took = now - start;
  answer.stage_times = std::span(stage_times_).first(static_cast<std::size_t>(answer.stages));
  return answer;
}

}  // namespace concertina::cascade
