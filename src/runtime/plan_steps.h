#pragma once

#include "runtime/step_context.h"

namespace concertina::runtime {

/// The steps of an operation; none if all that it reads already lies where it belongs. An op's are made by
/// the overload of steps_of() that takes it.
std::vector<Step> make_steps(const StepContext& context);

// Convolutions and linear layers (plan_steps_conv.cc).
std::vector<Step> steps_of(const op::Conv& conv, const StepContext& context);
std::vector<Step> steps_of(const op::Linear& linear, const StepContext& context);

// What only moves features: into memory, within it, and out again (plan_steps_moves.cc).

/// None if all readers take the input in planes.
std::vector<Step> steps_of(const op::Input& op, const StepContext& context);

/// Copies the parts that could not be made in their place.
std::vector<Step> steps_of(const op::Concat& op, const StepContext& context);

/// Copies the channels if they could not stay where they are.
std::vector<Step> steps_of(const op::Slice& op, const StepContext& context);

/// Copies the channels between zeros.
std::vector<Step> steps_of(const op::PadChannels& op, const StepContext& context);

std::vector<Step> steps_of(const op::ChannelShuffle& op, const StepContext& context);
/// With other pixels than its input, an operation moves pixels; otherwise it is a stage that regroups the
/// channels.
std::vector<Step> steps_of(const op::DepthToSpace& op, const StepContext& context);
std::vector<Step> steps_of(const op::SpaceToDepth& op, const StepContext& context);
std::vector<Step> steps_of(const op::Flatten& op, const StepContext& context);
std::vector<Step> steps_of(const op::Pad& op, const StepContext& context);
std::vector<Step> steps_of(const op::Resize& op, const StepContext& context);

/// Of an operation without a node.
std::vector<Step> move_steps(const StepContext& context);

/// Those that give a value's active features to the caller, [batch][c][h][w]; `begin`: floats before them
/// among the logits, for each image of the batch.
std::vector<Step> store_steps(ValueId value, std::ptrdiff_t begin, const PlanSource& source,
                              const MemoryMap& map);

}  // namespace concertina::runtime
