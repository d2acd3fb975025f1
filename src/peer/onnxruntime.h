#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "concertina/result.h"

/// ONNX Runtime through the C interface of its shared library, which is loaded at run time: no header and no
/// package of it is needed to build.
namespace concertina {

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

/// A static model on the CPU with one fp32 input and one fp32 output, with ONNX Runtime's best settings: all
/// graph optimisations, its own thread pool, input and output in the caller's memory.
class OnnxRuntimeSession {
 public:
  /// `onnx`: the model's bytes. Fails with ONNX Runtime's message.
  static Result<OnnxRuntimeSession> make(std::shared_ptr<const OnnxRuntime> runtime, std::string_view onnx,
                                         const std::string& input_name, const std::string& output_name,
                                         const std::vector<std::int64_t>& input_shape,
                                         const std::vector<std::int64_t>& output_shape, int threads);

  std::span<float> input();
  std::span<const float> output() const;

  /// input() -> output(). Fails with ONNX Runtime's message.
  Status run();

  OnnxRuntimeSession(OnnxRuntimeSession&&) noexcept;
  OnnxRuntimeSession& operator=(OnnxRuntimeSession&&) noexcept;
  ~OnnxRuntimeSession();

 private:
  struct Impl;
  explicit OnnxRuntimeSession(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace concertina
