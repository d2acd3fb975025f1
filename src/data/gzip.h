#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "concertina/result.h"

namespace concertina::data {

/// Inflates gzip data up to `limit` bytes of output; what would follow is not inflated, so a small file
/// cannot fill the memory. The checksum is verified when the data ends before the limit. `name` stands in the
/// errors.
Result<std::string> gunzip(std::string_view bytes, std::size_t limit, std::string_view name);

}  // namespace concertina::data
