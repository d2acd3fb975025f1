#include "graph/ops/softmax.h"

#include <fmt/format.h>

namespace concertina::op {

ChannelAxis Softmax::output_channels(const ChannelContext& context) const {
  context.analysis.lock(context.inputs[0], context.node,
                        fmt::format("'{}' normalises over all of its channels", context.name));
  return context.inputs[0];
}

}  // namespace concertina::op
