#pragma once

#include <span>

#include "runtime/model_impl.h"

namespace concertina::runtime {

/// A network without sub-nets as a model of one, with scales that make int8 run and its answers useless.
/// Precondition: check_weights() accepts it.
onnx::ModelFile file_of(Network network);

/// The network as a model of these sub-nets, nested or not, with its statistics cut to each: what widths cost
/// that no model has. Its answers are of no use. Fails as make_model() does, and unless check_subnet()
/// accepts each sub-net.
Result<std::shared_ptr<const Model>> make_timing_model(Network network, std::span<const Subnet> subnets,
                                                       const ModelOptions& options = {});

}  // namespace concertina::runtime
