#include "runtime/plan_source.h"

#include <algorithm>

namespace concertina::runtime {

PlainInput PlanSource::plain_input(ValueId value) const {
  const std::vector<Operation>& all = program.operations;
  const NodeId input =
      std::find_if(all.begin(), all.end(), [&](const Operation& one) { return one.output == value; })->node;
  PlainInput plain{.channels = graph.shape(input).channels};
  for (NodeId id = 0; id < input; ++id) plain.begin += graph.shape(id).elements();
  return plain;
}

}  // namespace concertina::runtime
