#pragma once

#include "concertina/result.h"

/// Leaves the enclosing function with the error of `expression` (a Status or Result) if it failed.
#define CONCERTINA_TRY(expression)                                              \
  do {                                                                          \
    if (auto try_status = (expression); !try_status) return try_status.error(); \
  } while (false)

#define CONCERTINA_JOIN_(a, b) a##b
#define CONCERTINA_JOIN(a, b) CONCERTINA_JOIN_(a, b)
#define CONCERTINA_ASSIGN_(result, declaration, expression) \
  auto result = (expression);                               \
  if (!result) return result.error();                       \
  declaration = std::move(result).value()

/// CONCERTINA_ASSIGN(auto x, f()): x is the value of f(), or the enclosing function returns its error.
#define CONCERTINA_ASSIGN(declaration, expression) \
  CONCERTINA_ASSIGN_(CONCERTINA_JOIN(assign_result_, __COUNTER__), declaration, expression)
