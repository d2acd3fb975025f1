#pragma once

#include <concepts>
#include <variant>
#include <vector>

#include "graph/ops/across_channels.h"
#include "graph/ops/activation.h"
#include "graph/ops/affine.h"
#include "graph/ops/blocks.h"
#include "graph/ops/combine.h"
#include "graph/ops/conv.h"
#include "graph/ops/flatten.h"
#include "graph/ops/input.h"
#include "graph/ops/linear.h"
#include "graph/ops/normalize.h"
#include "graph/ops/opaque.h"
#include "graph/ops/pool.h"
#include "graph/ops/rearrange.h"
#include "graph/ops/resize.h"

namespace concertina {

using Op = std::variant<op::Input, op::Conv, op::BatchNorm, op::GroupNorm, op::Activation, op::PRelu, op::Add,
                        op::Mul, op::Scale, op::Shift, op::MaxPool, op::AveragePool, op::GlobalAveragePool,
                        op::Flatten, op::AsMap, op::Linear, op::Concat, op::Slice, op::PadChannels,
                        op::ChannelShuffle, op::DepthToSpace, op::SpaceToDepth, op::Pad, op::Resize,
                        op::ChannelReduce, op::LocalResponseNorm, op::Softmax, op::Opaque>;

/// The op's name for people.
inline std::string_view type_name(const Op& op) {
  if (const auto* activation = std::get_if<op::Activation>(&op)) return function_name(activation->function);
  const auto* conv = std::get_if<op::Conv>(&op);
  if (conv && conv->transposed()) return "ConvTranspose";
  const auto* softmax = std::get_if<op::Softmax>(&op);
  if (softmax && softmax->logarithm) return "LogSoftmax";
  return std::visit([](const auto& o) { return o.kType; }, op);
}

/// The arrays that an op computes with, at full size.
inline std::vector<Parameter> parameters_of(const Op& op) {
  return std::visit([](const auto& o) { return o.parameters(); }, op);
}

/// For lambdas over several alternatives.
template <class One, class... Others>
concept OneOf = (std::same_as<One, Others> || ...);

/// For std::visit over some alternatives by name; the compiler lists those that are missing.
template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace concertina
