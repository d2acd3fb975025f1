#pragma once

// The one way into LibTorch, precompiled: its headers take longer to parse than all of ours. <torch/torch.h>
// has more than twice as much.

#pragma GCC system_header

#include <torch/autograd.h>
#include <torch/cuda.h>
#include <torch/nn/functional/loss.h>
#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>
#include <torch/types.h>
#include <torch/utils.h>
