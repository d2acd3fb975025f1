#include "kernels/masked_units.h"

#include <cstdlib>

namespace concertina::kernels {

bool is_masked(std::string_view unit) {
  const char* const value = std::getenv("CONCERTINA_WITHOUT");
  std::string_view list = value == nullptr ? "" : value;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (list.substr(0, comma) == unit) return true;
    list = comma == std::string_view::npos ? "" : list.substr(comma + 1);
  }
  return false;
}

}  // namespace concertina::kernels
