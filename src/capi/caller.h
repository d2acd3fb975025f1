#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Uses the whole C API, compiled as C, on a classifier's bytes; gives the line of what failed, or 0.
int concertina_call_from_c(const void* bytes, size_t size);

#ifdef __cplusplus
}
#endif
