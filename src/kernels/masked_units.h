#pragma once

#include <string_view>

namespace concertina::kernels {

/// Whether the environment variable CONCERTINA_WITHOUT names the unit. It is a list with commas, such as
/// "AMX,AVX-512 BF16": on a machine that has them, others can then be tested and timed. It is read whenever a
/// model is loaded, so no other thread may change the environment then.
bool is_masked(std::string_view unit);

}  // namespace concertina::kernels
