#pragma once

#include "train/run.h"

namespace concertina::train {

// Each stage returns what its result has cost; steps that a kill has undone are not counted.

/// Trains the full network on labels, from the weights of its file if it has one -> pretrain/checkpoint.pt.
Result<search::Spending> pretrain(const Run& run);

/// Ranks the channels and sorts them by importance, so that every sub-net is a prefix
/// -> rank/ranking.json, rank/weights.pt.
Result<search::Spending> rank(const Run& run);

/// Progressive search -> search/journal.jsonl, search/weights-N.pt after each fine-tuning.
Result<search::Spending> search(const Run& run);

/// Re-selection with the search's final weights -> select/subnets.json.
Result<search::Spending> select(const Run& run);

/// Joint training of the selected sub-nets -> joint/checkpoint.pt.
Result<search::Spending> joint(const Run& run);

/// Trains the sub-nets on with the rounding of int8 -> fine-tune/checkpoint.pt.
Result<search::Spending> fine_tune(const Run& run);

/// Batch-norm statistics and accuracy of each sub-net, on validation and, once, on the test images
/// -> model.onnx, package/results.json.
Result<search::Spending> package(const Run& run);

/// Runs one stage unless it is done. Fails if the stage before it is not, or if the recipe has no such stage.
Status run_stage(const Run& run, recipe::Stage stage);

/// Runs every stage that is not done.
Status run_all(const Run& run);

}  // namespace concertina::train
