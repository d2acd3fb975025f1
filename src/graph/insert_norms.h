#pragma once

#include <string>
#include <vector>

#include "graph/network.h"

namespace concertina {

/// A convolution that insert_norms() gives a batch norm, and that norm.
struct InsertedNorm {
  std::string conv;
  std::string norm;
};

/// Exporters fold batch norms into convolutions; this puts them back, so that every sub-net can have
/// statistics of its own. Every convolution that has a bias and a map of more than one pixel, that no batch
/// norm follows and that is not an output itself gets a batch norm "<conv>.norm" behind it, with identity
/// arrays: mean 0, variance 1 - epsilon, weight 1, bias 0. The function stays the same. `inserted`, if given,
/// lists them. Arrays that the weights do not have are none's concern.
Network insert_norms(const Network& network, std::vector<InsertedNorm>* inserted = nullptr);

}  // namespace concertina
