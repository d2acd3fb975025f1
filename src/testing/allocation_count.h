#pragma once

#include <cstdint>

/// Requests for memory of the whole program, on all threads: counted, and failed on purpose. Linking this
/// replaces malloc and its kin, on which operator new and the system's libraries rest. With AddressSanitizer,
/// which owns malloc, it replaces operator new alone.
namespace concertina::testing {

/// How often the program has asked for memory. -1 if ThreadSanitizer stands in the way.
std::int64_t allocation_count();

/// How many pieces of memory have not been given back.
std::int64_t allocations_alive();

/// Has one request fail, after `after` more that do not; with -1, none. Does nothing if a sanitizer stands in
/// the way.
void fail_allocation(std::int64_t after);

/// True if the request that was to fail has failed.
bool allocation_failed();

}  // namespace concertina::testing
