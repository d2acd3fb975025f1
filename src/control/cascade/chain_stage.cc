#include "control/cascade/chain_stage.h"

namespace concertina::control {

ChainStage run_stage(const LabelledLogits& data, const LabelledLogits::Column& column,
                     std::span<const float> previous, const Blend& blend, ConfidenceMeasure measure) {
  const std::vector<float>& logits = column.logits;
  ChainStage stage{.blend = blend, .scores = {}, .confidence = {}, .correct = {}};
  stage.scores.assign(previous.begin(), previous.end());
  stage.scores.resize(logits.size());
  blend_into(blend, logits, stage.scores);
  for (int i = 0; i < data.images(); ++i) {
    const Verdict verdict = judge(data.row(stage.scores, i), measure);
    stage.confidence.push_back(verdict.confidence);
    stage.correct.push_back(verdict.label == data.labels[static_cast<std::size_t>(i)] ? 1 : 0);
  }
  return stage;
}

}  // namespace concertina::control
