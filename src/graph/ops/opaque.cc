#include "graph/ops/opaque.h"

#include <fmt/format.h>

namespace concertina::op {

ChannelAxis Opaque::output_channels(const ChannelContext& context) const {
  const std::string why = fmt::format("there is no channel rule for the op {} of '{}'", type, context.name);
  for (const ChannelAxis& axis : context.inputs) context.analysis.lock(axis, context.node, why);
  ChannelAxis axis = context.analysis.produce(context.node, shape.channels);
  context.analysis.lock(axis, context.node, why);
  return axis;
}

}  // namespace concertina::op
