#include <cmath>
#include <cstdlib>

#include "graph/networks/networks.h"
#include "search/latency_table.h"

using namespace concertina;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Graph graph = *make_network({.name = "resnet8", .input = {3, 32, 32}});
  const auto table = LatencyTable::parse({reinterpret_cast<const char*>(data), size});
  if (!table || !table->check(graph)) return 0;
  if (!(table->milliseconds(graph, full_subnet(graph)) > 0)) std::abort();
  return 0;
}
