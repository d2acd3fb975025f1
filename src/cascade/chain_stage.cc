#include "cascade/chain_stage.h"

namespace concertina::cascade {

ChainStage run_stage(const LabelledLogits& data, const LabelledLogits::Column& column,
                     std::span<const float> previous, const Blend& blend, ConfidenceMeasure measure) {
  const std::vector<float>& logits = column.logits;
  ChainStage stage{.blend = blend, .scores = {}, .confidence = {}, .correct = {}};
  stage.scores.assign(previous.begin(), previous.end());
  stage.scores.resize(logits.size());
  blend_into(blend, logits, stage.scores);
  for (int i = 0; i < data.images(); ++i) {
    const Judgement verdict = judge(data.row(stage.scores, i), measure);
    stage.confidence.push_back(verdict.confidence);
    stage.correct.push_back(verdict.label == data.labels[i] ? 1 : 0);
  }
  return stage;
}

}  // namespace concertina::cascade
