#include "concertina/model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <new>
#include <utility>

#include "base/file.h"
#include "base/machine.h"
#include "base/out_of_memory.h"
#include "base/try.h"
#include "graph/branches.h"
#include "graph/cost.h"
#include "graph/resolution.h"
#include "kernels/bf16_conv.h"
#include "kernels/layout.h"
#include "runtime/calibration.h"
#include "runtime/lowering.h"
#include "runtime/model_impl.h"
#include "runtime/storage.h"
#include "runtime/tuning.h"

namespace concertina {
namespace runtime {
namespace {

SubnetInfo describe(const Graph& graph, const onnx::SubnetRecord& record, const Plan& plan) {
  const Cost needs = cost(graph, record.subnet);
  std::size_t own_floats = plan.epilogues.size();
  for (const AlignedBuffer& weights : plan.own_weights) own_floats += weights.size();
  const Shape image = scaled(graph.shape(graph.input()), record.subnet.resolution);
  return {
      .subnet = record.subnet,
      .height = image.height,
      .width = image.width,
      .macs = needs.macs,
      .parameters = needs.parameters,
      .validation_accuracy = record.validation_accuracy,
      .test_accuracy = record.test_accuracy,
      .own_bytes = own_floats * sizeof(float),
      .scratch_bytes = (static_cast<std::size_t>(plan.arena_floats) + plan.scaled_floats()) * sizeof(float),
      .workspace_bytes = plan.workspace_floats * sizeof(float)};
}

TensorInfo describe_value(const Graph& graph, NodeId id) {
  const auto [channels, height, width] = graph.shape(id);
  const auto* softmax = std::get_if<op::Softmax>(&graph.node(id).op);
  return {.name = graph.node(id).name,
          .channels = channels,
          .height = height,
          .width = width,
          .probabilities = softmax && !softmax->logarithm};
}

/// What the sub-nets of one resolution that leave out the same branches have in common.
struct Structure {
  Graph graph;
  Program program;
  Storage storage;
};

Result<Structure> make_structure(Graph graph) {
  ASSIGN_OR_RETURN(Program program, lower(graph));
  Storage storage = place_values(program, graph);
  return Structure{std::move(graph), std::move(program), std::move(storage)};
}

Status check_precision(const onnx::ModelFile& file, Precision precision) {
  if (precision == Precision::int8) return check_calibrated(file);
  if (precision != Precision::bf16 || !kernels::bf16_units().empty()) return {};
  return Error{
      fmt::format("this machine ({}, {}) has neither AMX nor AVX-512 BF16, which bfloat16 needs; use fp32",
                  cpu_name(), kernels::target_name())};
}

}  // namespace

Result<std::shared_ptr<const Model>> make_model(const onnx::ModelFile& file, const ModelOptions& options) {
  if (options.tuning.empty()) {
    if (options.precision != Precision::automatic)
      return make_model(file, options.precision, default_kernels());
    return Error{
        "the precision auto needs a table; make one with `concertina tune --precision auto` and name it with --tuning"};
  }
  ASSIGN_OR_RETURN(const Tuning tuning, Tuning::read(options.tuning));
  if (const Status fits = tuning.check(file, options.precision); !fits) {
    return in_file(options.tuning, fits.error());
  }
  return make_model(file, options.precision, tuning.policy());
}

Result<std::shared_ptr<const Model>> make_model(const onnx::ModelFile& file, Precision precision,
                                                const KernelPolicy& policy) {
  RETURN_IF_ERROR(check_precision(file, precision));
  const Graph& graph = file.network.graph;
  ASSIGN_OR_RETURN(Structure whole, make_structure(graph));
  const auto [channels, height, width] = graph.shape(graph.input());
  auto impl = std::make_unique<Model::Impl>(
      Model::Impl{.image = {.channels = channels,
                            .height = height,
                            .width = width,
                            .mean = file.preprocessing.mean,
                            .stddev = file.preprocessing.stddev,
                            .resize = file.preprocessing.resize > 0 ? file.preprocessing.resize : height,
                            .bgr = file.preprocessing.bgr},
                  .inputs = {},
                  .outputs = {},
                  .classes = file.classes,
                  .subnets = {},
                  .packed = PackedWeights(file.network, precision, calibrated_layers(file), policy.packings),
                  .plans = {},
                  .precision = precision});
  for (NodeId id = 0; id < graph.inputs(); ++id) impl->inputs.push_back(describe_value(graph, id));
  for (const NodeId id : graph.outputs()) impl->outputs.push_back(describe_value(graph, id));
  impl->input_size = static_cast<std::size_t>(input_elements(graph));
  impl->output_size = static_cast<std::size_t>(output_elements(graph));
  for (const Value& value : whole.program.values)
    impl->largest_map = std::max(impl->largest_map, value.pixels());
  std::map<std::pair<int, std::vector<bool>>, Structure> structures;  // by resolution and absent nodes
  structures.emplace(std::pair(0, std::vector<bool>(static_cast<std::size_t>(graph.size()))),
                     std::move(whole));
  for (const onnx::SubnetRecord& record : file.subnets) {
    const std::pair key(record.subnet.resolution, absent_nodes(graph, record.subnet));
    if (!structures.contains(key)) {
      ASSIGN_OR_RETURN(Structure part, make_structure(variant(graph, record.subnet)));
      structures.emplace(key, std::move(part));
    }
    const auto& [running, program, storage] = structures.at(key);
    const ChooseKernel kernels = policy.kernels(static_cast<int>(impl->plans.size()));
    impl->plans.push_back(make_plan({running, file.network.weights, program, storage, impl->packed,
                                     record.quantization, kernels, policy.bands},
                                    graph.shape(graph.input()), record.subnet, record.own));
    impl->subnets.push_back(describe(graph, record, impl->plans.back()));
  }
  return std::shared_ptr<const Model>(std::make_shared<Model>(std::move(impl)));
}

}  // namespace runtime

Result<std::shared_ptr<const Model>> Model::load(const std::filesystem::path& path,
                                                 const ModelOptions& options) try {
  ASSIGN_OR_RETURN(const onnx::ModelFile file, onnx::read_model(path));
  auto model = runtime::make_model(file, options);
  if (!model) return in_file(path, model.error());
  return model;
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

Result<std::shared_ptr<const Model>> Model::parse(std::string_view bytes, const ModelOptions& options) try {
  ASSIGN_OR_RETURN(const onnx::ModelFile file, onnx::parse_model(bytes));
  return runtime::make_model(file, options);
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

Model::Model(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Model::~Model() = default;

const ImageInfo& Model::image() const {
  return impl_->image;
}

std::span<const TensorInfo> Model::inputs() const {
  return impl_->inputs;
}

std::span<const TensorInfo> Model::outputs() const {
  return impl_->outputs;
}

std::size_t Model::input_size() const {
  return impl_->input_size;
}

std::size_t Model::output_size() const {
  return impl_->output_size;
}

std::span<const std::string> Model::classes() const {
  return impl_->classes;
}

std::span<const SubnetInfo> Model::subnets() const {
  return impl_->subnets;
}

Result<int> Model::find(const Subnet& subnet) const try {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < impl_->subnets.size(); ++i) {
    if (impl_->subnets[i].subnet == subnet) return static_cast<int>(i);
    names.push_back(to_string(impl_->subnets[i].subnet));
  }
  return Error{
      fmt::format("the model has no sub-net {}; it has {}", to_string(subnet), fmt::join(names, ", "))};
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

Precision Model::precision() const {
  return impl_->precision;
}

std::size_t Model::packed_bytes() const {
  return impl_->packed.bytes();
}

}  // namespace concertina
