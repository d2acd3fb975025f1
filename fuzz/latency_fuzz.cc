#include <cstdlib>

#include "graph/networks/networks.h"
#include "latency/latency_table.h"

using namespace concertina;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Graph graph = *make_network({.name = "resnet8", .input = {3, 32, 32}});
  const auto table = latency::LatencyTable::parse({reinterpret_cast<const char*>(data), size});
  if (!table) return 0;
  const auto again = latency::LatencyTable::parse(table->to_json());
  if (!again || again->to_json() != table->to_json()) std::abort();
  for (const latency::SubnetLatency& one : table->subnets) {
    if (!(one.times.at(0.5) > 0 && one.times.at(0.97) >= one.times.median())) std::abort();
  }
  if (!table->check_layers(graph)) return 0;
  if (!(table->layer_sum(graph, full_subnet(graph)) > 0)) std::abort();
  return 0;
}
