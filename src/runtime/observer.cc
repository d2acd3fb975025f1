#include "runtime/observer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/float_mode.h"
#include "base/thread_pool.h"
#include "base/try.h"
#include "graph/branches.h"
#include "runtime/lowering.h"
#include "runtime/memory_map.h"
#include "runtime/passes.h"
#include "runtime/pixel_units.h"
#include "runtime/plan.h"
#include "runtime/plan_steps.h"

namespace concertina::runtime {
namespace {

/// No map is so large that its layer runs in bands: every value gets a place in the arena.
KernelPolicy without_bands() {
  KernelPolicy policy = default_kernels();
  policy.bands.large_map = std::numeric_limits<std::int64_t>::max();
  return policy;
}

/// By operation, the nodes of `graph` that have its output's value: none of an operation that only moves
/// features, or that is the first of a node's two.
std::vector<std::vector<NodeId>> nodes_by_operation(const Program& program, const Graph& graph) {
  std::vector<int> makers(static_cast<std::size_t>(graph.size()), kNone);
  for (std::size_t i = 0; i < program.operations.size(); ++i) {
    const NodeId node = program.operations[i].node;
    if (node != kNone) makers[node] = static_cast<int>(i);
  }
  std::vector<std::vector<NodeId>> nodes(program.operations.size());
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Op& op = graph.node(id).op;
    const bool reshapes = std::holds_alternative<op::Flatten>(op) || std::holds_alternative<op::AsMap>(op);
    if (makers[id] == kNone && reshapes) makers[id] = makers[graph.node(id).inputs[0]];
    if (makers[id] != kNone) nodes[makers[id]].push_back(id);
  }
  return nodes;
}

}  // namespace

struct Observer::Impl {
  /// What an operation makes, and how it is seen.
  struct Sight {
    std::vector<NodeId> nodes = {};        ///< of the model's graph: all that have this value
    std::size_t after = 0;                 ///< the number of the plan's steps after which it is there
    std::size_t floats = 0;                ///< of one image
    std::optional<PlainInput> plain = {};  ///< it lies among the images
    std::vector<Step> stores = {};         ///< otherwise they take it out of the arena
  };

  PackedWeights packed;
  Plan plan;
  std::vector<Sight> sights;
  std::size_t input_size;  ///< floats of an image, over all inputs
  int max_batch;
  ThreadPool pool;
  ThreadPool caller{1};
  AlignedBuffer arena = {};
  AlignedBuffer scaled = {};
  AlignedBuffer workspace = {};
  std::vector<float> values = {};  ///< of the operation that is seen

  Impl(const onnx::ModelFile& file, const ChoosePackings& packings, int batch, int threads)
      : packed(
            file.network.graph, Precision::fp32, [](NodeId) { return false; }, packings),
        input_size(static_cast<std::size_t>(input_elements(file.network.graph))),
        max_batch(batch),
        pool(threads) {
    packed.pack(file.network);
  }

  void add_sights(const PlanSource& source, const MemoryMap& map, const Graph& whole) {
    std::unordered_map<std::string_view, NodeId> ids;
    for (NodeId id = 0; id < whole.size(); ++id) ids.emplace(whole.node(id).name, id);
    const auto nodes = nodes_by_operation(source.program, source.graph);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i].empty()) continue;
      const ValueId made = source.program.operations[i].output;
      const PixelLayout& layout = map.layout(made);
      Sight sight{.after = plan.pass_ends[i]};
      for (const NodeId id : nodes[i]) sight.nodes.push_back(ids.at(source.graph.node(id).name));
      for (const PixelSegment& segment : layout.segments)
        sight.floats += static_cast<std::size_t>(segment.count);
      sight.floats *= static_cast<std::size_t>(source.program.value(made).pixels());
      if (layout.plain) {
        sight.plain = source.plain_input(made);
      } else {
        sight.stores = store_steps(made, 0, source, map);
      }
      sights.push_back(std::move(sight));
    }
  }

  void reserve() {
    const auto batch = static_cast<std::size_t>(max_batch);
    arena = AlignedBuffer(static_cast<std::size_t>(plan.arena_floats) * batch);
    scaled = AlignedBuffer(plan.scaled_floats() * batch);
    workspace = AlignedBuffer(plan.workspace_floats * static_cast<std::size_t>(pool.size()));
    std::size_t most = 0;
    for (const Sight& sight : sights) most = std::max(most, sight.floats);
    values.resize(most * batch);
  }

  Status check(std::size_t images, int batch) const {
    if (batch < 1 || batch > max_batch) {
      return Error{fmt::format("a batch of {} does not fit; it may have 1 to {} images", batch, max_batch)};
    }
    const std::size_t wanted = input_size * static_cast<std::size_t>(batch);
    if (images == wanted) return {};
    return Error{
        fmt::format("there are {} floats of images where a batch of {} has {}", images, batch, wanted)};
  }

  void run(std::span<const float> images, int batch, const Visit& visit) {
    const Frame frame{.batch = batch,
                      .images = images.data(),
                      .scaled = plan.scaled_floats() == 0 ? nullptr : scaled.data(),
                      .logits = values.data(),
                      .arena = arena.data(),
                      .workspace = workspace.data(),
                      .pool = pool,
                      .caller = caller};
    std::size_t done = 0;
    for (const Sight& sight : sights) {
      {
        const FlushDenormals flush;
        for (; done < sight.after; ++done) runtime::run(plan.steps[done], frame);
        for (const Step& store : sight.stores) runtime::run(store, frame);
      }
      const float* const first = sight.plain ? sight.plain->in(frame) : values.data();
      for (const NodeId node : sight.nodes)
        visit(node, {first, sight.floats * static_cast<std::size_t>(batch)});
    }
  }
};

Result<Observer> Observer::make(const onnx::ModelFile& file, int subnet, int max_batch, int threads) {
  if (subnet < 0 || static_cast<std::size_t>(subnet) >= file.subnets.size()) {
    return Error{
        fmt::format("there is no sub-net number {}; the model has 0 to {}", subnet, file.subnets.size() - 1)};
  }
  const onnx::SubnetRecord& record = file.subnets[subnet];
  const Graph& whole = file.network.graph;
  const Graph graph = variant(whole, record.subnet);
  ASSIGN_OR_RETURN(const Program program, lower(graph, Fusion::none));
  const Storage storage = place_values(program, graph);
  const KernelPolicy policy = without_bands();
  const ChooseKernel kernels = policy.kernels(subnet);
  auto impl = std::make_unique<Impl>(file, policy.packings, max_batch, threads);
  const PlanSource source{graph,        file.network.weights, program, storage,
                          impl->packed, record.quantization,  kernels, policy.bands};
  impl->plan = make_plan(source, whole.shape(whole.input()), record.subnet, record.own);
  const std::vector<PixelLayout> layouts = pixel_layouts(source, record.subnet);
  impl->add_sights(source, MemoryMap(program, storage, layouts, choose_passes(source, layouts)), whole);
  impl->reserve();
  return Observer(std::move(impl));
}

Observer::Observer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Observer::Observer(Observer&&) noexcept = default;
Observer& Observer::operator=(Observer&&) noexcept = default;
Observer::~Observer() = default;

Status Observer::run(std::span<const float> images, int batch, const Visit& visit) {
  RETURN_IF_ERROR(impl_->check(images.size(), batch));
  impl_->run(images, batch, visit);
  return {};
}

}  // namespace concertina::runtime
