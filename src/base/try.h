#pragma once

#include "concertina/result.h"

/// Leaves the enclosing function with the error of `expression` (a Status or Result) if it failed.
#define RETURN_IF_ERROR(expression)                                             \
  do {                                                                          \
    if (auto try_status = (expression); !try_status) return try_status.error(); \
  } while (false)

#define CONCERTINA_JOIN_(a, b) a##b
#define CONCERTINA_JOIN(a, b) CONCERTINA_JOIN_(a, b)
#define CONCERTINA_ASSIGN_(result, declaration, expression) \
  auto result = (expression);                               \
  if (!result) return result.error();                       \
  declaration = std::move(result).value()

/// ASSIGN_OR_RETURN(auto x, f()): x is the value of f(), or the enclosing function returns its error.
#define ASSIGN_OR_RETURN(declaration, expression) \
  CONCERTINA_ASSIGN_(CONCERTINA_JOIN(assign_result_, __COUNTER__), declaration, expression)
