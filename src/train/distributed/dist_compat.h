#pragma once

// LibTorch's process groups: all that differs between its versions, 1.13 and 2.6 or later.

#include <gloo/common/error.h>
#include <torch/version.h>

#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>
#if defined(USE_C10D_NCCL) && __has_include(<nccl.h>)
#define CONCERTINA_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include "train/torch.h"

namespace concertina::train::compat {

using Group = c10::intrusive_ptr<c10d::ProcessGroup>;
using Store = c10::intrusive_ptr<c10d::Store>;

#if TORCH_VERSION_MAJOR >= 2

/// A group that does everything by one backend.
inline Group group_of(const Store& store, int rank, int count, c10::DeviceType device,
                      c10d::ProcessGroup::BackendType type,
                      const c10::intrusive_ptr<c10d::Backend>& backend) {
  auto group = c10::make_intrusive<c10d::ProcessGroup>(store, rank, count);
  group->setBackend(device, type, backend);
  group->setDefaultBackend(type);
  return group;
}

inline Group gloo_group(const Store& store, int rank, int count,
                        const c10::intrusive_ptr<c10d::ProcessGroupGloo>& gloo) {
  return group_of(store, rank, count, c10::DeviceType::CPU, c10d::ProcessGroup::BackendType::GLOO, gloo);
}

#ifdef CONCERTINA_NCCL
inline Group nccl_group(const Store& store, int rank, int count) {
  return group_of(store, rank, count, c10::DeviceType::CUDA, c10d::ProcessGroup::BackendType::NCCL,
                  c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, count));
}
#endif

/// Whether an exception says that another process, or the way to it, is gone.
inline bool is_loss(const std::exception& exception) {
  return dynamic_cast<const ::gloo::Exception*>(&exception) != nullptr ||
         dynamic_cast<const c10::DistError*>(&exception) != nullptr;
}

/// Hears LibTorch's warnings and says nothing.
class NoWarnings final : public c10::WarningHandler {
  void process(const c10::Warning&) override {}
};
using WarningGuard = c10::WarningUtils::WarningHandlerGuard;

#else

inline Group gloo_group(const Store&, int, int, const c10::intrusive_ptr<c10d::ProcessGroupGloo>& gloo) {
  return gloo;
}

#ifdef CONCERTINA_NCCL
inline Group nccl_group(const Store& store, int rank, int count) {
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, count);
}
#endif

/// Whether an exception says that another process, or the way to it, is gone.
inline bool is_loss(const std::exception& exception) {
  return dynamic_cast<const ::gloo::Exception*>(&exception) != nullptr;
}

/// Hears LibTorch's warnings and says nothing.
class NoWarnings final : public c10::WarningHandler {
  void process(const c10::SourceLocation&, const std::string&, bool) override {}
};
using WarningGuard = c10::Warning::WarningHandlerGuard;

#endif

}  // namespace concertina::train::compat
