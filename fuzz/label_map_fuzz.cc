#include <cstdlib>

#include "data/codecs.h"
#include "data/crop.h"
#include "data/label_map.h"

using namespace concertina;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto map = data::decode_label_map({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!map) return 0;
  const auto pixels = static_cast<std::size_t>(map->height) * static_cast<std::size_t>(map->width);
  if (map->channels != 1 || map->pixels.size() != pixels) std::abort();
  const data::LabelValues values = data::values_of(map->pixels);
  if (const auto classes = data::classes_of(values); classes && classes->empty()) std::abort();
  if (data::are_black_and_white(values)) data::number_black_and_white(map->pixels);
  if (data::fit_centre_nearest(*map, 5, 5).pixels.size() != 25) std::abort();
  return 0;
}
