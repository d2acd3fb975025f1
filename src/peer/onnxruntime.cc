#include "peer/onnxruntime.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdint>

#include "base/aligned_buffer.h"
#include "base/try.h"

namespace concertina::peer {
namespace {

// The library's C interface is one table of functions whose order never changes; new ones come at its end.
// These are the places of those used here.
enum Entry : std::size_t {
  kGetErrorMessage = 2,
  kCreateEnv = 3,
  kCreateSessionFromArray = 8,
  kRun = 9,
  kCreateSessionOptions = 10,
  kSetExecutionMode = 13,
  kSetOptimizationLevel = 23,
  kSetIntraOpThreads = 24,
  kSetInterOpThreads = 25,
  kCreateTensorWithData = 49,
  kCreateCpuMemoryInfo = 69,
  kReleaseEnv = 92,
  kReleaseStatus = 93,
  kReleaseMemoryInfo = 94,
  kReleaseSession = 95,
  kReleaseValue = 96,
  kReleaseSessionOptions = 100,
};

constexpr std::uint32_t kInterfaceVersion = 13;
constexpr int kWarnings = 2, kSequential = 0, kAllOptimizations = 99;
constexpr int kArenaAllocator = 1, kDefaultMemory = 0, kFloat = 1;

struct InterfaceBase {
  const void* const* (*get)(std::uint32_t version);
  const char* (*version)();
};

using Handle = void*;

std::size_t count(const std::vector<std::int64_t>& shape) {
  std::size_t all = 1;
  for (const std::int64_t size : shape) all *= static_cast<std::size_t>(size);
  return all;
}

}  // namespace

struct OnnxRuntime::Impl {
  void* library = nullptr;
  const void* const* table = nullptr;
  std::string version;
  Handle environment = nullptr;

  ~Impl() {
    if (environment) release(kReleaseEnv, environment);
    if (library) dlclose(library);
  }

  /// Calls an entry that returns a status, which is null if all is well.
  template <typename... Args>
  Status call(Entry entry, Args... args) const {
    const Handle status = reinterpret_cast<Handle (*)(Args...)>(const_cast<void*>(table[entry]))(args...);
    if (!status) return {};
    const auto message =
        reinterpret_cast<const char* (*)(Handle)>(const_cast<void*>(table[kGetErrorMessage]));
    const Error error{fmt::format("ONNX Runtime: {}", message(status))};
    release(kReleaseStatus, status);
    return error;
  }
  void release(Entry entry, Handle handle) const {
    if (handle) reinterpret_cast<void (*)(Handle)>(const_cast<void*>(table[entry]))(handle);
  }
};

OnnxRuntime::OnnxRuntime(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OnnxRuntime::~OnnxRuntime() = default;

const std::string& OnnxRuntime::version() const {
  return impl_->version;
}

Result<std::shared_ptr<const OnnxRuntime>> OnnxRuntime::load(const std::filesystem::path& path) {
  auto impl = std::make_unique<Impl>();
  impl->library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!impl->library) return Error{fmt::format("'{}' cannot be loaded: {}", path.string(), dlerror())};
  const auto base = reinterpret_cast<const InterfaceBase* (*)()>(dlsym(impl->library, "OrtGetApiBase"));
  if (!base) return Error{fmt::format("'{}' is not ONNX Runtime: it has no OrtGetApiBase", path.string())};
  impl->version = base()->version();
  impl->table = base()->get(kInterfaceVersion);
  if (!impl->table) return Error{fmt::format("ONNX Runtime {} is too old; 1.13 is needed", impl->version)};
  RETURN_IF_ERROR(impl->call(kCreateEnv, kWarnings, "peer", &impl->environment));
  return std::shared_ptr<const OnnxRuntime>(std::make_shared<OnnxRuntime>(std::move(impl)));
}

/// Values of one direction, one after the other in one buffer.
struct OnnxRuntimeSession::Tensors {
  std::vector<OnnxRuntimeValue> values;
  std::vector<const char*> names;
  AlignedBuffer buffer;
  std::vector<Handle> handles;

  explicit Tensors(std::vector<OnnxRuntimeValue> all) : values(std::move(all)) {
    std::size_t total = 0;
    for (const OnnxRuntimeValue& value : values) {
      names.push_back(value.name.c_str());
      total += count(value.shape);
    }
    buffer = AlignedBuffer(total);
  }

  Status bind(const OnnxRuntime::Impl& api, Handle memory) {
    float* at = buffer.data();
    for (const OnnxRuntimeValue& value : values) {
      const std::size_t size = count(value.shape);
      Handle handle = nullptr;
      RETURN_IF_ERROR(api.call(kCreateTensorWithData, memory, static_cast<void*>(at), size * sizeof(float),
                               value.shape.data(), value.shape.size(), kFloat, &handle));
      handles.push_back(handle);
      at += size;
    }
    return {};
  }
};

struct OnnxRuntimeSession::Impl {
  std::shared_ptr<const OnnxRuntime> runtime;
  Tensors inputs, outputs;
  Handle options = nullptr, session = nullptr, memory = nullptr;

  Impl(std::shared_ptr<const OnnxRuntime> r, std::vector<OnnxRuntimeValue> in,
       std::vector<OnnxRuntimeValue> out)
      : runtime(std::move(r)), inputs(std::move(in)), outputs(std::move(out)) {}
  ~Impl() {
    const OnnxRuntime::Impl& api = runtime->impl();
    for (const Handle value : inputs.handles) api.release(kReleaseValue, value);
    for (const Handle value : outputs.handles) api.release(kReleaseValue, value);
    api.release(kReleaseMemoryInfo, memory);
    api.release(kReleaseSession, session);
    api.release(kReleaseSessionOptions, options);
  }
};

OnnxRuntimeSession::OnnxRuntimeSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OnnxRuntimeSession::OnnxRuntimeSession(OnnxRuntimeSession&&) noexcept = default;
OnnxRuntimeSession& OnnxRuntimeSession::operator=(OnnxRuntimeSession&&) noexcept = default;
OnnxRuntimeSession::~OnnxRuntimeSession() = default;

Result<OnnxRuntimeSession> OnnxRuntimeSession::make(std::shared_ptr<const OnnxRuntime> runtime,
                                                    std::string_view onnx,
                                                    std::vector<OnnxRuntimeValue> inputs,
                                                    std::vector<OnnxRuntimeValue> outputs, int threads) {
  const OnnxRuntime::Impl& api = runtime->impl();
  auto impl = std::make_unique<Impl>(runtime, std::move(inputs), std::move(outputs));
  RETURN_IF_ERROR(api.call(kCreateSessionOptions, &impl->options));
  RETURN_IF_ERROR(api.call(kSetExecutionMode, impl->options, kSequential));
  RETURN_IF_ERROR(api.call(kSetOptimizationLevel, impl->options, kAllOptimizations));
  RETURN_IF_ERROR(api.call(kSetIntraOpThreads, impl->options, threads));
  RETURN_IF_ERROR(api.call(kSetInterOpThreads, impl->options, 1));
  RETURN_IF_ERROR(api.call(kCreateSessionFromArray, api.environment, static_cast<const void*>(onnx.data()),
                           onnx.size(), impl->options, &impl->session));
  RETURN_IF_ERROR(api.call(kCreateCpuMemoryInfo, kArenaAllocator, kDefaultMemory, &impl->memory));
  RETURN_IF_ERROR(impl->inputs.bind(api, impl->memory));
  RETURN_IF_ERROR(impl->outputs.bind(api, impl->memory));
  return OnnxRuntimeSession(std::move(impl));
}

std::span<float> OnnxRuntimeSession::input() {
  return {impl_->inputs.buffer.data(), impl_->inputs.buffer.size()};
}
std::span<const float> OnnxRuntimeSession::output() const {
  return {impl_->outputs.buffer.data(), impl_->outputs.buffer.size()};
}

Status OnnxRuntimeSession::run() {
  Tensors& in = impl_->inputs;
  Tensors& out = impl_->outputs;
  return impl_->runtime->impl().call(kRun, impl_->session, static_cast<Handle>(nullptr), in.names.data(),
                                     in.handles.data(), in.handles.size(), out.names.data(),
                                     out.handles.size(), out.handles.data());
}

}  // namespace concertina::peer
