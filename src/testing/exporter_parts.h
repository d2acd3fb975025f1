#pragma once

#include <string>

/// What exporters write in many nodes for want of one, in small networks; see exporter_files.h.
namespace concertina::testing {

/// F.pad as PyTorch writes it: the pads are computed from a list for the last axis first. Zeros on two sides,
/// reflections, edges.
std::string padded();

/// Weights that the file computes: weight norm, weight standardisation, a sum weighted by scaled numbers.
std::string computed_weights();

/// Layer norm before operator set 17: of pixels first, of channels first by a division and by a reciprocal,
/// of a vector, of pixels in one dimension, as Keras writes it; instance norm, layer norm of the whole map,
/// and group norm.
std::string norms_in_parts();

/// Means, maxima and sums over some axes or all, in several layouts; gates on pixels first; Softmax before
/// operator set 13.
std::string reductions();

/// Rows and columns that are cut off, split, taken in turn and joined again: YOLO's focus, padding that goes
/// around, a crop; |x| and bounds.
std::string cut_maps();

/// ECA-Net's filter along the channels of a mean, between transposes and between reshapes.
std::string channel_attention();

/// Values divided by lengths and sums: global response normalisation (ConvNeXt V2), RMS norm, and an
/// embedding of length 1.
std::string lengths();

/// Channels in another order, and twice over.
std::string reordered();

}  // namespace concertina::testing
