// Any bytes as a cascade. What is accepted must survive being written.

#include <cstdint>
#include <cstdlib>

#include "cascade/cascade.h"

using namespace concertina;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto cascade = cascade::Cascade::parse({reinterpret_cast<const char*>(data), size});
  if (!cascade) return 0;
  const auto again = cascade::Cascade::parse(cascade->to_json());
  if (!again || !(*again == *cascade)) std::abort();
  return 0;
}
