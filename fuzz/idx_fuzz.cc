#include <cstdlib>

#include "data/codecs.h"
#include "data/idx.h"

using namespace concertina;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto images = data::parse_idx_images(bytes, "fuzz");
  if (images) {
    const data::IdxImages& i = *images;
    if (i.pixels.size() !=
        std::uint64_t{i.count} * static_cast<unsigned>(i.height) * static_cast<unsigned>(i.width)) {
      std::abort();
    }
  }
  if (const auto labels = data::parse_idx_labels(bytes, "fuzz"); labels && labels->empty()) std::abort();
  constexpr std::size_t kLimit = 1 << 16;
  if (const auto unpacked = data::gunzip(bytes, kLimit, "fuzz"); unpacked && unpacked->size() > kLimit)
    std::abort();
  return 0;
}
