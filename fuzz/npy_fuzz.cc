#include <cstdint>
#include <cstdlib>

#include "data/npy.h"

using namespace concertina;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto array = data::parse_npy({reinterpret_cast<const char*>(data), size});
  if (!array) return 0;
  std::uint64_t count = 1;
  for (const std::int64_t one : array->shape) count *= static_cast<std::uint64_t>(one);
  if (array->values.size() != count) std::abort();
  return 0;
}
