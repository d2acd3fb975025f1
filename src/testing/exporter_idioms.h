#pragma once

#include <string>

/// How exporters spell single things, in small networks; see exporter_files.h.
namespace concertina::testing {

/// Functions beyond ReLU and its like, each an op (operator set 20).
std::string functions();

/// The same where there is no such op: GELU twice and Mish in parts, as PyTorch writes them.
std::string functions_in_parts();

/// Squeeze-and-excitation and a mask of pixels, repeated by Expand to the shape of what they gate.
std::string expanded_gates();

/// A ResNet for CIFAR whose shortcuts take every other pixel and add channels of zeros.
std::string option_a();

/// Two blocks of ConvNeXt: depthwise, layer norm and linear layers on pixels first, GELU, a scale for each
/// channel.
std::string convnext();

/// A decoder of transposed convolutions with every way to say their padding: a U-Net, whose skips are joined.
std::string transposed();

/// Super-resolution's pixel shuffles in both orders, their reverse, and the same in parts.
std::string pixel_shuffles();

/// CBAM: attention over channels from means and maxima of pixels, and over pixels from those of channels;
/// LRN.
std::string cbam();

/// Instance norm, and group norm as an op and in parts.
std::string group_norms();

/// Pixels first, scaled before they are turned; LogSoftmax at the end.
std::string keras();

/// Two images through the same layers: convolutions, norms, PRelu, a linear layer in two nodes.
std::string siamese();

/// A detector's head on two maps, by initializers, an Identity of one, and one that is transposed each time;
/// a norm for each map; a state that the same layer changes three times.
std::string shared_head();

}  // namespace concertina::testing
