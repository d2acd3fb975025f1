#pragma once

#include "runtime/step_context.h"

/// The steps of what only moves features: into memory, within it, and out again.
namespace concertina::runtime {

/// None if all readers take the input in planes.
std::vector<Step> steps_of(const op::Input& op, const StepContext& context);

/// Copies the parts that could not be made in their place.
std::vector<Step> steps_of(const op::Concat& op, const StepContext& context);

/// Copies the channels if they could not stay where they are.
std::vector<Step> steps_of(const op::Slice& op, const StepContext& context);

std::vector<Step> steps_of(const op::ChannelShuffle& op, const StepContext& context);
std::vector<Step> steps_of(const op::Flatten& op, const StepContext& context);
std::vector<Step> steps_of(const op::Pad& op, const StepContext& context);
std::vector<Step> steps_of(const op::Resize& op, const StepContext& context);

/// Of an operation without a node.
std::vector<Step> move_steps(const StepContext& context);

/// Those that give one of the network's outputs to the caller.
std::vector<Step> store_steps(std::size_t output, const PlanSource& source, const MemoryMap& map);

}  // namespace concertina::runtime
