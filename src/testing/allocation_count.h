#pragma once

#include <cstdint>

namespace concertina::testing {

/// How often this program has asked operator new for memory, on all threads. (Linking it replaces operator
/// new.) -1 if a sanitizer stands in the way.
std::int64_t allocation_count();

/// Has one request fail, after `after` more that do not; with -1, none. Does nothing if a sanitizer stands in
/// the way.
void fail_allocation(std::int64_t after);

}  // namespace concertina::testing
