#pragma once

// The one way into LibTorch, precompiled: its headers take longer to parse than all of ours.

#pragma GCC system_header

#include <torch/torch.h>
