#pragma once

#include <functional>

#include "onnx/model_file.h"
#include "runtime/tuning.h"

namespace concertina::runtime {

struct TuneOptions {
  Precision precision = Precision::fp32;
  int threads = 1;
  int batch = 1;
  int rounds = 5;  ///< of all kernels in turn
  int runs = 10;   ///< of each sub-net in a round
};

/// Runs every sub-net with every kernel in every layer that it can run, in turn, and takes for each layer the
/// kernel with the smallest mean time over the sub-nets, each as a share of what the rule of thumb's kernel
/// takes; that one stays if none gains 2 %. The weights exist once, so all sub-nets share the choice. Up to
/// thirteen packed models are in memory at a time. `progress` is told how many of how many parts are done.
Result<Tuning> tune(const ModelFile& file, const TuneOptions& options,
                    const std::function<void(int done, int all)>& progress);

}  // namespace concertina::runtime
