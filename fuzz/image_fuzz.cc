#include <algorithm>
#include <cstdlib>

#include "data/crop.h"
#include "data/image.h"

using namespace concertina;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto image = data::decode_image({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!image) return 0;
  if (image->channels != 1 && image->channels != 3) std::abort();
  if (image->pixels.size() != static_cast<std::size_t>(image->height) *
                                  static_cast<std::size_t>(image->width) *
                                  static_cast<std::size_t>(image->channels)) {
    std::abort();
  }
  const data::Image fitted = data::fit_square(data::to_rgb(std::move(*image)), 5);
  if (fitted.pixels.size() != 75) std::abort();
  return 0;
}
