#include "cascade/replay.h"

#include <algorithm>
#include <utility>
#include <vector>

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

const LabelledLogits::Column* find_column(const LabelledLogits& data, const Look& look) {
  const auto found = std::find_if(data.columns.begin(), data.columns.end(),
                                  [&](const LabelledLogits::Column& column) { return column.look == look; });
  return found == data.columns.end() ? nullptr : &*found;
}

Replay replay(const LabelledLogits& data, std::span<const int> rows, std::span<const CascadeStage> stages,
              ConfidenceMeasure measure) {
  std::vector<const LabelledLogits::Column*> columns;
  for (const CascadeStage& stage : stages) columns.push_back(find_column(data, stage.look));
  Replay all{.correct = {}, .stopped = std::vector<int>(stages.size(), 0)};
  std::vector<float> scores(static_cast<std::size_t>(data.classes));
  for (const int row : rows) {
    std::fill(scores.begin(), scores.end(), 0.0F);
    for (std::size_t k = 0; k < stages.size(); ++k) {
      blend_into(stages[k].blend, data.row(columns[k]->logits, row), scores);
      all.ms += columns[k]->ms;
      const Judgement verdict = judge(scores, measure);
      if (k + 1 < stages.size() && verdict.confidence < stages[k].threshold) continue;
      ++all.stopped[k];
      all.correct.push_back(verdict.label == data.labels[row] ? 1 : 0);
      break;
    }
  }
  all.ms /= static_cast<double>(rows.size());
  return all;
}

double separation(std::span<const double> confidences, std::span<const std::uint8_t> correct) {
  std::vector<std::pair<double, int>> sorted;
  for (std::size_t i = 0; i < confidences.size(); ++i) sorted.emplace_back(confidences[i], correct[i]);
  std::sort(sorted.begin(), sorted.end());
  double wrong = 0, right = 0, pairs = 0;  // pairs in order, of those with what came before
  for (std::size_t begin = 0, end = 0; begin < sorted.size(); begin = end) {
    double wrong_here = 0, right_here = 0;
    for (; end < sorted.size() && sorted[end].first == sorted[begin].first; ++end) {
      (sorted[end].second != 0 ? right_here : wrong_here) += 1;
    }
    pairs += right_here * (wrong + wrong_here / 2);
    wrong += wrong_here;
    right += right_here;
  }
  return wrong == 0 || right == 0 ? 0.5 : pairs / (wrong * right);
}

}  // namespace concertina::cascade
