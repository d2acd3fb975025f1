#include "concertina/model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <new>
#include <optional>
#include <set>
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
#include "runtime/weights_cache.h"

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

Status pack_weights(const Network& network, PackedWeights& weights) {
  weights.pack(network);
  return {};
}

Result<std::shared_ptr<const Model>> make_model(const onnx::ModelFile& file, const ModelOptions& options) {
  return make_model(file, options, pack_weights);
}

Result<std::shared_ptr<const Model>> make_model(const onnx::ModelFile& file, const ModelOptions& options,
                                                const FillWeights& fill) {
  if (options.tuning.empty()) {
    if (options.precision != Precision::automatic)
      return make_model(file, options.precision, default_kernels(), fill);
    return Error{
        "the precision auto needs a table; make one with `concertina tune --precision auto` and name it with --tuning"};
  }
  ASSIGN_OR_RETURN(const Tuning tuning, Tuning::read(options.tuning));
  if (const Status fits = tuning.check(file, options.precision); !fits) {
    return in_file(options.tuning, fits.error());
  }
  return make_model(file, options.precision, tuning.policy(), fill);
}

Result<std::shared_ptr<const Model>> make_model(const onnx::ModelFile& file, Precision precision,
                                                const KernelPolicy& policy, const FillWeights& fill) {
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
                  .packed = PackedWeights(graph, precision, calibrated_layers(file), policy.packings),
                  .plans = {},
                  .precision = precision});
  RETURN_IF_ERROR(fill(file.network, impl->packed));
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

namespace {

/// Whether all arrays are there that only a packing may do without.
bool has_the_others(const Weights& weights, const std::set<std::string>& packed) {
  return std::all_of(weights.begin(), weights.end(), [&](const auto& entry) {
    std::size_t count = 1;
    for (const int size : entry.second.shape) count *= static_cast<std::size_t>(size);
    return entry.second.values.size() == count || packed.contains(entry.first);
  });
}

/// The model that the cache has under this name; none if it has none, or if anything does not fit. Errors are
/// left to the one who loads the model itself.
std::optional<LoadedModel> find_cached(const std::string& identity, const ModelOptions& options) {
  std::optional<CachedWeights> cached = WeightsCache(identity, options).find();
  if (!cached) return std::nullopt;
  Result<onnx::ModelFile> file = onnx::parse_stripped(cached->stripped);
  if (!file) return std::nullopt;
  const auto take = [&](const Network& network, PackedWeights& weights) -> Status {
    if (weights.bytes() != cached->packed_bytes || weights.layout() != cached->layout ||
        !has_the_others(network.weights, weights.arrays()))
      return Error{"the cached weights are packed otherwise"};
    weights.take(std::move(cached->file));
    return {};
  };
  auto model = make_model(*file, options, take);
  if (!model) return std::nullopt;
  return LoadedModel{*std::move(model), *std::move(file)};
}

/// `file`: what the bytes hold.
Result<LoadedModel> make_and_keep(std::string_view bytes, onnx::ModelFile file, const ModelOptions& options) {
  ASSIGN_OR_RETURN(auto model, make_model(file, options));
  const PackedWeights& packed = model->impl().packed;
  const auto stripped = onnx::strip_model(bytes, packed.arrays());
  if (stripped) WeightsCache(identity_of(bytes), options).keep(packed, *stripped);
  return LoadedModel{std::move(model), std::move(file)};
}

Result<LoadedModel> parse_model(std::string_view bytes, const ModelOptions& options) {
  if (!options.cache.empty()) {
    if (auto cached = find_cached(identity_of(bytes), options)) return *std::move(cached);
  }
  ASSIGN_OR_RETURN(onnx::ModelFile file, onnx::parse_model(bytes));
  if (!options.cache.empty()) return make_and_keep(bytes, std::move(file), options);
  ASSIGN_OR_RETURN(auto model, make_model(file, options));
  return LoadedModel{std::move(model), std::move(file)};
}

}  // namespace

Result<LoadedModel> load_model(const std::filesystem::path& path, const ModelOptions& options) {
  if (!options.cache.empty()) {
    const auto identity = identity_of_file(path);
    if (auto cached = identity ? find_cached(*identity, options) : std::nullopt) return *std::move(cached);
    return read_as(path, [&](std::string_view bytes) -> Result<LoadedModel> {
      ASSIGN_OR_RETURN(onnx::ModelFile file, onnx::parse_model(bytes, path.parent_path()));
      return make_and_keep(bytes, std::move(file), options);
    });
  }
  ASSIGN_OR_RETURN(onnx::ModelFile file, onnx::read_model(path));
  auto model = make_model(file, options);
  if (!model) return in_file(path, model.error());
  return LoadedModel{*std::move(model), std::move(file)};
}

}  // namespace runtime

Result<std::shared_ptr<const Model>> Model::load(const std::filesystem::path& path,
                                                 const ModelOptions& options) try {
  ASSIGN_OR_RETURN(runtime::LoadedModel loaded, runtime::load_model(path, options));
  return std::move(loaded.model);
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

Result<std::shared_ptr<const Model>> Model::parse(std::string_view bytes, const ModelOptions& options) try {
  ASSIGN_OR_RETURN(runtime::LoadedModel loaded, runtime::parse_model(bytes, options));
  return std::move(loaded.model);
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
