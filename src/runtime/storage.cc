#include "runtime/storage.h"

#include <algorithm>
#include <numeric>

#include "runtime/pixel_layout.h"

namespace concertina::runtime {
namespace {

template <typename Wanted>
bool is(const Graph& graph, const Operation& operation) {
  return operation.node != kNone && std::holds_alternative<Wanted>(graph.node(operation.node).op);
}

/// The place of `whole` from its segment `first` on.
Placement view(const Storage& storage, ValueId whole, int first) {
  Placement place = storage.placement(whole);
  place.before.push_back({whole, first});
  return place;
}

class Placing {
 public:
  Placing(const Program& program, const Graph& graph) : program_(program), graph_(graph) {
    for (ValueId id = 0; id < static_cast<ValueId>(program.values.size()); ++id) {
      storage_.placements.push_back({.root = id, .before = {}});
    }
    storage_.lifetimes.resize(program.values.size());
  }

  Storage run() {
    // Backwards, so that the place of a concatenation is known before those of its parts.
    for (std::size_t s = program_.operations.size(); s-- > 0;) {
      if (is<op::Concat>(graph_, program_.operations[s])) place_parts(program_.operations[s]);
    }
    find_lifetimes();
    for (std::size_t s = 0; s < program_.operations.size(); ++s) {
      if (is<op::Slice>(graph_, program_.operations[s])) place_slice(program_.operations[s]);
      for (const ValueId id : overwritable(program_.operations[s])) {
        if (overwrite(program_.operations[s], static_cast<int>(s), id)) break;
      }
    }
    return std::move(storage_);
  }

 private:
  Placement& placement(ValueId id) { return storage_.placements[id]; }
  Lifetime& lifetime(ValueId id) { return storage_.lifetimes[placement(id).root]; }

  void place_parts(const Operation& concat) {
    Placement at = placement(concat.output);
    for (const ValueId part : concat.inputs) {
      if (placement(part).root == part && !program_.value(part).spare) placement(part) = at;
      at.before.push_back({part, program_.value(part).segments()});
    }
  }

  void place_slice(const Operation& slice) {
    const std::optional<int> first = first_segment(graph_, slice.node);
    const bool alone = placement(slice.output).root == slice.output;
    if (!first || !alone || !has_room(slice.output, slice.inputs[0])) return;
    const int end = lifetime(slice.output).end;
    placement(slice.output) = view(storage_, slice.inputs[0], *first);
    lifetime(slice.output).end = std::max(lifetime(slice.output).end, end);
  }

  void find_lifetimes() {
    for (std::size_t s = 0; s < program_.operations.size(); ++s) {
      const Operation& operation = program_.operations[s];
      use(operation.output, static_cast<int>(s));
      for (const ValueId input : operation.inputs) use(input, static_cast<int>(s));
      if (operation.residual != kNone) use(operation.residual, static_cast<int>(s));
    }
    for (const ValueId output : program_.outputs) use(output, static_cast<int>(program_.operations.size()));
  }

  void use(ValueId id, int index) {
    Lifetime& life = lifetime(id);
    life.begin = life.end < 0 ? index : std::min(life.begin, index);
    life.end = std::max(life.end, index);
  }

  /// What the operation's kernel could write over: only what it reads at the place where it writes.
  std::vector<ValueId> overwritable(const Operation& operation) const {
    if (operation.residual != kNone) return {operation.residual};
    if (operation.node == kNone) return {};
    const auto in_place =
        Overloaded{[]<OneOf<op::Add, op::Mul, op::BatchNorm, op::GroupNorm, op::Activation, op::PRelu,
                            op::Scale, op::Shift, op::Softmax>
                          Elementwise>(const Elementwise&) { return true; },
                   []<OneOf<op::Input, op::Conv, op::Linear, op::MaxPool, op::AveragePool,
                            op::GlobalAveragePool, op::Flatten, op::AsMap, op::Concat, op::Slice,
                            op::PadChannels, op::ChannelReduce, op::LocalResponseNorm, op::ChannelShuffle,
                            op::DepthToSpace, op::SpaceToDepth, op::Pad, op::Resize, op::Opaque>
                          Other>(const Other&) { return false; }};
    const bool elementwise = std::visit(in_place, graph_.node(operation.node).op);
    return elementwise ? operation.inputs : std::vector<ValueId>{};
  }

  bool overwrite(const Operation& operation, int index, ValueId old) {
    const Value& value = program_.value(old);
    const Value& output = program_.value(operation.output);
    const bool alone = placement(operation.output).root == operation.output;
    const bool last = lifetime(old).end == index;
    const bool fits = value.joined == output.joined && value.pixels() == output.pixels() &&
                      same_layout(graph_.layout(), value, output);
    const bool roomy = has_room(operation.output, old);
    if (!alone || !last || !fits || !roomy || reads_elsewhere(operation, old)) return false;
    const int end = lifetime(operation.output).end;
    placement(operation.output) = placement(old);
    lifetime(old).end = std::max(lifetime(old).end, end);
    return true;
  }

  /// Whether what reads `id` may read as far past its end in the memory of `there`.
  bool has_room(ValueId id, ValueId there) {
    return !program_.value(id).spare || program_.value(placement(there).root).spare;
  }

  /// A convolution that adds what it also reads through its window must not write there, nor a sum of two
  /// slices that may overlap.
  bool reads_elsewhere(const Operation& operation, ValueId old) {
    return std::any_of(operation.inputs.begin(), operation.inputs.end(), [&](ValueId input) {
      return placement(input).root == placement(old).root && (operation.residual != kNone || input != old);
    });
  }

  const Program& program_;
  const Graph& graph_;
  Storage storage_;
};

bool overlap(const Lifetime& a, const Lifetime& b) {
  return a.begin <= b.end && b.begin <= a.end;
}

}  // namespace

bool Storage::is_view(ValueId part, ValueId whole, int first) const {
  return placement(part) == view(*this, whole, first);
}

Storage place_values(const Program& program, const Graph& graph) {
  return Placing(program, graph).run();
}

ArenaPlan plan_arena(const std::vector<Block>& blocks) {
  std::vector<std::size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return blocks[a].size > blocks[b].size; });
  ArenaPlan plan{.offsets = std::vector<std::ptrdiff_t>(blocks.size())};
  std::vector<std::size_t> placed;  // by rising offset
  for (const std::size_t i : order) {
    std::ptrdiff_t offset = 0;
    for (const std::size_t other : placed) {
      if (!overlap(blocks[i].lifetime, blocks[other].lifetime)) continue;
      if (offset + blocks[i].size <= plan.offsets[other]) break;
      offset = std::max(offset, plan.offsets[other] + blocks[other].size);
    }
    plan.offsets[i] = offset;
    plan.total = std::max(plan.total, offset + blocks[i].size);
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), i,
                         [&](std::size_t a, std::size_t b) { return plan.offsets[a] < plan.offsets[b]; }),
        i);
  }
  return plan;
}

}  // namespace concertina::runtime
