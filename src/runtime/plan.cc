#include "runtime/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/layout.h"
#include "runtime/epilogues.h"
#include "runtime/memory_map.h"
#include "runtime/passes.h"
#include "runtime/pixel_units.h"
#include "runtime/plan_steps.h"

namespace concertina::runtime {
namespace {

std::string kind_of(const Op& op) {
  const auto* conv = std::get_if<op::Conv>(&op);
  if (conv == nullptr) return std::string(type_name(op));
  const Window& w = conv->window;
  const bool dilated = w.dilation_h > 1 || w.dilation_w > 1;
  return fmt::format("{} {}x{}{}{}",
                     conv->transposed()  ? "Transposed"
                     : conv->depthwise() ? "Depthwise"
                     : conv->groups > 1  ? "Grouped"
                                         : "Conv",
                     w.kernel_h, w.kernel_w,
                     w.stride_h > 1 || w.stride_w > 1 ? fmt::format(" /{}", w.stride_h) : "",
                     dilated ? fmt::format(" dilated {}", w.dilation_h) : "");
}

/// Precondition: all of them can run over some rows only.
std::vector<RowStep> row_steps(std::vector<Step> steps) {
  std::vector<RowStep> rows;
  for (Step& step : steps) {
    std::visit(
        [&]<class StepType>(StepType& one) {
          if constexpr (std::is_constructible_v<RowStep, StepType>) rows.push_back(std::move(one));
        },
        step);
  }
  return rows;
}

class PlanBuilder {
 public:
  PlanBuilder(const PlanSource& source, const Subnet& subnet, const Weights& own)
      : source_(source),
        own_(own),
        layouts_(pixel_layouts(source, subnet)),
        passes_(choose_passes(source, layouts_)),
        map_(source.program, source.storage, layouts_, passes_),
        epilogues_(source, map_, subnet, own, kernels::vector_lanes()) {}

  Plan build(const Shape& image) {
    plan_.arena_floats = map_.size();
    plan_.image_floats = static_cast<std::size_t>(input_elements(source_.graph));
    add_scaling(image, source_.graph.shape(source_.graph.input()));
    for (const Pass& pass : passes_) add_pass(pass);
    if (source_.graph.inputs() == 1) set_per_image_steps();
    add_stores();
    plan_.layer_macs = mean_layer_macs();
    plan_.epilogues = epilogues_.take_memory();
    return std::move(plan_);
  }

 private:
  void add_scaling(const Shape& from, const Shape& to) {
    if (from == to) return;
    ScaleStep scale{.channels = to.channels,
                    .rows = kernels::scale_line(from.height, to.height),
                    .columns = kernels::scale_line(from.width, to.width)};
    plan_.need_workspace(scale.workspace());
    label({scale}, source_.graph.node(source_.graph.input()).name, "Scale", false);
    plan_.steps.push_back(std::move(scale));
  }

  void add_pass(const Pass& pass) {
    Traffic& traffic = traffic_.emplace_back();
    for (const ValueId id : operation_at(pass.begin).inputs) traffic.maps += bytes(id);
    traffic.maps += bytes(operation_at(pass.end - 1).output);
    std::vector<std::vector<RowStep>> layers;
    std::vector<kernels::WindowArgs> windows;
    for (int i = pass.begin; i < pass.end; ++i) {
      std::vector<Step> steps = steps_of_operation(operation_at(i), pass.count() > 1);
      const std::int64_t pixels = source_.program.value(operation_at(i).output).pixels();
      for (const Step& step : steps) {
        traffic.weights += macs_of(step) / pixels * std::int64_t{sizeof(float)};
      }
      if (pass.count() == 1) {
        add_steps(std::move(steps));
      } else {
        layers.push_back(row_steps(std::move(steps)));
        windows.push_back(band_layer(source_, operation_at(i))->window);
      }
    }
    if (!layers.empty()) {
      BandedStep banded = make_banded(std::move(layers), windows, source_.bands.memory);
      plan_.need_workspace(static_cast<std::size_t>(banded.memory));
      plan_.steps.push_back(std::move(banded));
    }
    plan_.pass_ends.push_back(plan_.steps.size());
  }

  /// They have their labels and their workspace.
  std::vector<Step> steps_of_operation(const Operation& operation, bool banded) {
    std::vector<Step> steps = make_steps({operation, source_, map_, own_, epilogues_, plan_.own_weights});
    for (const Step& step : steps) {
      const auto* conv = std::get_if<ConvStep>(&step);
      if (conv != nullptr) plan_.need_workspace(conv->workspace(conv->args.window));
      const auto* transposed = std::get_if<TransposedStep>(&step);
      if (transposed != nullptr) plan_.need_workspace(transposed->memory);
    }
    if (operation.node == kNone) {
      label(steps, "move", "Copy", banded);
    } else {
      const Node& node = source_.graph.node(operation.node);
      label(steps, node.name, kind_of(node.op), banded);
    }
    return steps;
  }

  /// Labels the plan's next steps, which become one if they are banded.
  void label(const std::vector<Step>& steps, const std::string& name, const std::string& kind, bool banded) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      plan_.labels.push_back({.name = name,
                              .kind = kind,
                              .macs = macs_of(steps[i]),
                              .step = plan_.steps.size() + (banded ? 0 : i)});
    }
  }

  void add_steps(std::vector<Step> steps) {
    for (Step& step : steps) plan_.steps.push_back(std::move(step));
  }

  void add_stores() {
    const std::span<const NodeId> outputs = source_.graph.outputs();
    std::ptrdiff_t begin = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      std::vector<Step> steps = store_steps(source_.program.outputs[i], begin, source_, map_);
      begin += source_.graph.shape(outputs[i]).elements();  // outputs are locked
      label(steps, outputs.size() > 1 ? source_.graph.node(outputs[i]).name : "output", "Store", false);
      add_steps(std::move(steps));
    }
  }

  void set_per_image_steps() {
    const auto passes = static_cast<std::size_t>(per_image_passes(traffic_));
    if (passes == 0 || plan_.pass_ends[passes - 1] == 0) return;
    plan_.per_image_steps = static_cast<int>(plan_.pass_ends[passes - 1]);
    const int first_of_batch = passes_[passes - 1].end;  // the first operation that is for the whole batch
    for (ValueId id = 0; id < static_cast<ValueId>(source_.program.values.size()); ++id) {
      const auto [begin, end] = source_.storage.lifetimes[id];
      if (!source_.storage.is_root(id) || begin >= first_of_batch || end < first_of_batch) continue;
      if (map_.layout(id).plain) continue;
      plan_.carried.push_back(
          {.buffer = map_.location(id).buffer, .floats = bytes(id) / std::int64_t{sizeof(float)}});
    }
  }

  std::int64_t mean_layer_macs() const {
    std::int64_t macs = 0, layers = 0;
    for (const StepLabel& label : plan_.labels) {
      macs += label.macs;
      layers += label.macs > 0 ? 1 : 0;
    }
    return macs / std::max<std::int64_t>(1, layers);
  }

  /// Of a map of one image.
  std::int64_t bytes(ValueId id) const {
    return std::int64_t{source_.program.value(id).pixels()} * map_.layout(id).stride *
           std::int64_t{sizeof(float)};
  }

  const Operation& operation_at(int i) const { return source_.program.operations[i]; }

  const PlanSource& source_;
  const Weights& own_;
  std::vector<PixelLayout> layouts_;
  std::vector<Pass> passes_;
  MemoryMap map_;
  Epilogues epilogues_;
  std::vector<Traffic> traffic_;  // of each pass
  Plan plan_;
};

}  // namespace

std::size_t Plan::scaled_floats() const {
  return !steps.empty() && std::holds_alternative<ScaleStep>(steps[0]) ? image_floats : 0;
}

void Plan::need_workspace(std::size_t floats) {
  workspace_floats = std::max(workspace_floats, in_lines(floats));
}

Plan make_plan(const PlanSource& source, const Shape& image, const Subnet& subnet, const Weights& own) {
  return PlanBuilder(source, subnet, own).build(image);
}

}  // namespace concertina::runtime
