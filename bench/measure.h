#pragma once

#include <memory>

#include "concertina/model.h"
#include "in_turn.h"
#include "report.h"
#include "subjects.h"

namespace concertina::bench {

/// These measure all sub-nets of a subject, print a line for each and append to the report. `fp32`, `bf16`
/// and `int8` are the subject's model in that precision.

/// Ours against the peer, both in fp32. Fails if their outputs differ by more than rounding.
Status measure_fp32(const Subject& subject, const std::shared_ptr<const Model>& fp32,
                    const std::shared_ptr<const peer::OnnxRuntime>& peer, const Setting& setting,
                    PeerReport& report);

/// Ours in bfloat16 against ours in fp32.
Status measure_bf16(const Subject& subject, const std::shared_ptr<const Model>& bf16,
                    const std::shared_ptr<const Model>& fp32, const Setting& setting, PeerReport& report);

/// Ours in int8 against the peer with the sub-net's file in 8 bits, and against ours in fp32. The outputs may
/// differ by any amount. Precondition: the subject's model has scales.
Status measure_int8(const Subject& subject, const std::shared_ptr<const Model>& int8,
                    const std::shared_ptr<const Model>& fp32,
                    const std::shared_ptr<const peer::OnnxRuntime>& peer, const Setting& setting,
                    PeerReport& report);

/// Needs two sub-nets.
Status measure_switching(const Subject& subject, const std::shared_ptr<const Model>& fp32,
                         PeerReport& report);

Status measure_denormals(const Subject& subject, const std::shared_ptr<const Model>& fp32, const Pace& pace,
                         PeerReport& report);

}  // namespace concertina::bench
