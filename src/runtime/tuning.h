#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "concertina/model.h"
#include "onnx/model_file.h"
#include "runtime/conv_choice.h"
#include "runtime/packing.h"

namespace concertina::runtime {

/// One layer with each packing that it can have.
struct LayerTuning {
  Packing best = Packing::direct;
  std::vector<Packing> also = {};        ///< further packings, which some of the kernels need
  std::vector<ConvKernel> kernels = {};  ///< that run it, of each sub-net; none: the rules
  std::map<Packing, std::vector<double>> milliseconds = {};  ///< of each sub-net, with its fastest kernel
  std::map<Packing, std::vector<ConvKernel>> fastest = {};   ///< those kernels; older tables have none

  friend bool operator==(const LayerTuning&, const LayerTuning&) = default;
};

/// Which kernel is fastest for each layer of a network, measured on one machine:
///
///   {"concertina_tuning": 1, "cpu": "...", "instruction_set": "AVX3", "precision": "fp32", "threads": 1,
///    "batch": 1, "layers": {"stem": {"kernel": "direct", "subnets": ["direct", "planar"],
///    "milliseconds": {"direct": [0.2, 0.1], "winograd": [0.3, 0.2]},
///    "fastest": {"direct": ["direct", "planar"], "winograd": ["winograd", "winograd"]}}, ...}}
///
/// "kernel" is what the weights are packed for, "subnets" what runs them in each sub-net. A layer that
/// sub-nets run in different precisions also has "also": ["int8"].
struct Tuning {
  std::string cpu;
  std::string instruction_set;
  Precision precision = Precision::fp32;
  int threads = 1;                            ///< with which it was measured; it may be used with others
  int batch = 1;                              ///< the same
  std::map<std::string, LayerTuning> layers;  ///< by node

  /// The bytes are not trusted.
  static Result<Tuning> parse(std::string_view text);
  /// The same with a file; errors name it.
  static Result<Tuning> read(const std::filesystem::path& path);
  std::string to_json() const;

  /// Fails, saying why, unless the table was made on a machine like this one, in this precision, of a model
  /// with these layers.
  Status check(const onnx::ModelFile& file, Precision wanted) const;

  /// What the table says; the rules of thumb for what it does not know. Precondition: check() succeeds;
  /// refers to the table.
  KernelPolicy policy() const;

  friend bool operator==(const Tuning&, const Tuning&) = default;
};

}  // namespace concertina::runtime
