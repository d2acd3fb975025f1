#pragma once

// Stands in for LibTorch's header of this name, which Debian 12's libtorch-dev leaves out, although c10d's
// reducer.hpp includes it: all that this one takes from it. It only holds pointers to a context, and without
// RPC there is none.

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>

namespace torch::distributed::autograd {

class DistAutogradContext {
 public:
  using GradCallback = std::function<bool(at::Tensor&)>;
};

using ContextPtr = std::shared_ptr<DistAutogradContext>;

}  // namespace torch::distributed::autograd
