#include "cascade/replay.h"

#include <algorithm>

namespace concertina::cascade {

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

}  // namespace concertina::cascade
