#pragma once

#include <cstddef>
#include <exception>
#include <initializer_list>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "base/out_of_memory.h"
#include "concertina/concertina.h"
#include "concertina/result.h"

namespace concertina::capi {

/// What a C function has to say: a status and, of a failure, its sentence. RETURN_IF_ERROR passes it on.
class [[nodiscard]] Outcome {
 public:
  Outcome() = default;
  Outcome(Error error)
      : status_(is_out_of_memory(error) ? CONCERTINA_OUT_OF_MEMORY : CONCERTINA_FAILED),
        message_(std::move(error.message)) {}
  static Outcome misused(std::string message) { return {CONCERTINA_MISUSED, std::move(message)}; }

  explicit operator bool() const { return status_ == CONCERTINA_OK; }
  concertina_status status() const { return status_; }
  const std::string& message() const { return message_; }
  const Outcome& error() const { return *this; }

 private:
  Outcome(concertina_status status, std::string message) : status_(status), message_(std::move(message)) {}

  concertina_status status_ = CONCERTINA_OK;
  std::string message_;
};

struct Argument {
  const char* name;
  const void* value;
};

/// Misused if one of them is null.
Outcome not_null(std::initializer_list<Argument> arguments);

/// Fails unless `index` is one of the `count` things, each a `what`, of the `owner`.
Outcome in_range(const char* what, int index, std::size_t count, const char* owner = "model");

/// Writes a sentence into the caller's struct, which may be null, cut between characters if it is too long.
void write_error(concertina_error* error, std::string_view message) noexcept;

/// Runs the body of a C function, an Outcome(), and turns whatever it throws into a status.
template <typename Body>
concertina_status guarded(concertina_error* error, Body&& body) noexcept {
  try {
    const Outcome outcome = body();
    write_error(error, outcome.message());
    return outcome.status();
  } catch (const std::bad_alloc&) {
    write_error(error, kOutOfMemory);
    return CONCERTINA_OUT_OF_MEMORY;
  } catch (const std::exception& e) {
    write_error(error, e.what());
  } catch (...) {
    write_error(error, "an exception of an unknown kind was thrown; please report this");
  }
  return CONCERTINA_FAILED;
}

}  // namespace concertina::capi
