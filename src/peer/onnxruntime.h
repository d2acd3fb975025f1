#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "concertina/result.h"

/// ONNX Runtime through the C interface of its shared library, which is loaded at run time: no header and no
/// package of it is needed to build.
namespace concertina::peer {

class OnnxRuntime {
 public:
  /// The library at `path` (libonnxruntime.so). Fails if it cannot be loaded or is older than 1.13.
  static Result<std::shared_ptr<const OnnxRuntime>> load(const std::filesystem::path& path);

  /// As the library states it.
  const std::string& version() const;

  ~OnnxRuntime();
  OnnxRuntime(const OnnxRuntime&) = delete;
  OnnxRuntime& operator=(const OnnxRuntime&) = delete;

  struct Impl;
  explicit OnnxRuntime(std::unique_ptr<Impl> impl);
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// A fp32 input or output of a model.
struct OnnxRuntimeValue {
  std::string name;
  std::vector<std::int64_t> shape;
};

/// A static model on the CPU with ONNX Runtime's best settings: all graph optimisations, its own thread pool,
/// inputs and outputs in memory that it does not have to copy.
class OnnxRuntimeSession {
 public:
  /// `onnx`: the model's bytes. Fails with ONNX Runtime's message.
  static Result<OnnxRuntimeSession> make(std::shared_ptr<const OnnxRuntime> runtime, std::string_view onnx,
                                         std::vector<OnnxRuntimeValue> inputs,
                                         std::vector<OnnxRuntimeValue> outputs, int threads);

  /// All of them, one after the other.
  std::span<float> input();
  std::span<const float> output() const;

  /// input() -> output(). Fails with ONNX Runtime's message.
  Status run();

  OnnxRuntimeSession(OnnxRuntimeSession&&) noexcept;
  OnnxRuntimeSession& operator=(OnnxRuntimeSession&&) noexcept;
  ~OnnxRuntimeSession();

 private:
  struct Tensors;
  struct Impl;
  explicit OnnxRuntimeSession(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace concertina::peer
