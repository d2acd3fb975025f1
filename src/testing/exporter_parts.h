#pragma once

#include <string>

/// What exporters write in many nodes for want of one, in small networks; see exporter_files.h.
namespace concertina::testing {

/// F.pad as PyTorch writes it: the pads are computed from a list for the last axis first. Zeros on two sides,
/// reflections, edges.
std::string padded();

/// Weights that the file computes: weight norm, weight standardisation, a sum weighted by scaled numbers.
std::string computed_weights();

}  // namespace concertina::testing
