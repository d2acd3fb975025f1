#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "base/try.h"
#include "capi/outcome.h"
#include "concertina/concertina.h"

/// Structs that grow with the library: a caller's may be older and shorter, or newer and longer, than ours.
namespace concertina::capi {

/// The size of a struct in the first version that had it. Specialise it where a field is added.
template <typename Struct>
inline constexpr std::size_t kFirstSize = sizeof(Struct);

template <>
inline constexpr std::size_t kFirstSize<concertina_model_options> = offsetof(concertina_model_options, cache);
template <>
inline constexpr std::size_t kFirstSize<concertina_subnet_info> = offsetof(concertina_subnet_info, height);

/// No struct of ours is longer; a size that nobody has set often is.
inline constexpr std::size_t kLongest = 4096;

template <typename Struct>
Outcome check_size(const char* name, const Struct& given) {
  if (given.struct_size >= kFirstSize<Struct> && given.struct_size <= kLongest) return {};
  return Outcome::misused(
      fmt::format("the struct_size of '{}' is {}, where {} is expected; set it to the "
                  "struct's sizeof",
                  name, given.struct_size, sizeof(Struct)));
}

/// What the caller wants; fields that an older one does not have are 0. A null pointer is all zeros. Fails if
/// a newer one wants what this library does not know.
template <typename Struct>
Outcome read_struct(const char* name, const Struct* given, Struct& wanted) {
  wanted = {};
  if (given == nullptr) return {};
  RETURN_IF_ERROR(check_size(name, *given));
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  const auto set = [](unsigned char byte) { return byte != 0; };
  if (given->struct_size > sizeof wanted &&
      std::any_of(bytes + sizeof wanted, bytes + given->struct_size, set)) {
    return Error{
        fmt::format("'{}' has a field set that this version of the library does not know; link a newer "
                    "one, or leave it 0",
                    name)};
  }
  std::memcpy(&wanted, given, std::min(given->struct_size, sizeof wanted));
  return {};
}

/// Gives the caller the fields that his struct has; those that we do not know become 0.
/// Precondition: check_size().
template <typename Struct>
void write_struct(Struct value, Struct* result) {
  value.struct_size = result->struct_size;
  const std::size_t known = std::min(value.struct_size, sizeof value);
  auto* bytes = reinterpret_cast<unsigned char*>(result);
  std::fill(bytes + known, bytes + value.struct_size, static_cast<unsigned char>(0));
  std::memcpy(bytes, &value, known);
}

/// A field whose default is 1.
constexpr int or_one(int value) {
  return value == 0 ? 1 : value;
}

}  // namespace concertina::capi
