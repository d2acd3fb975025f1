#include <cstdlib>

#include "data/cifar10.h"

using namespace concertina;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  data::ImageSet set{3, 32, 32, {}, {}, {}};
  if (!data::append_cifar10({reinterpret_cast<const char*>(data), size}, "fuzz", set)) return 0;
  if (set.size() == 0 || set.pixels.size() != set.labels.size() * set.image_bytes()) std::abort();
  return 0;
}
