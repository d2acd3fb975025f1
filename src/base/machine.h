#pragma once

#include <string>

namespace concertina {

/// The processor's name as the system gives it, or "unknown CPU".
std::string cpu_name();

}  // namespace concertina
