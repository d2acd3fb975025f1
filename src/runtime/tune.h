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

/// Runs every sub-net with every kernel that can run its layers, in turn. For each sub-net a layer gets its
/// fastest kernel; of the packings, which all sub-nets share because the weights exist once, it gets the one
/// with the smallest mean time over the sub-nets, each as a share of what the rule of thumb's packing takes.
/// The rule stands where nothing gains 2 %. `progress` is told how many of how many parts are done.
Result<Tuning> tune(const onnx::ModelFile& file, const TuneOptions& options,
                    const std::function<void(int done, int all)>& progress);

}  // namespace concertina::runtime
