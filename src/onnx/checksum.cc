#include "onnx/checksum.h"

#define XXH_INLINE_ALL  // no library is needed at run time
#include <fmt/format.h>
#include <xxhash.h>

namespace concertina::onnx {

std::string checksum(std::string_view bytes) {
  return fmt::format("{:016x}", XXH3_64bits(bytes.data(), bytes.size()));
}

}  // namespace concertina::onnx
