#pragma once

#include <string_view>

#include "concertina/result.h"

namespace concertina {

/// Short, so that an Error with it needs no memory: std::string keeps 15 characters in itself.
inline constexpr std::string_view kOutOfMemory = "out of memory";

/// What a public function says where the system has refused memory. Inside the library that is an exception:
/// public functions end with `catch (const std::bad_alloc&) { return out_of_memory(); }`.
inline Error out_of_memory() noexcept {
  return Error{std::string(kOutOfMemory)};
}

inline bool is_out_of_memory(const Error& error) {
  return error.message == kOutOfMemory;
}

}  // namespace concertina
