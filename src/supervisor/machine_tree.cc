#include "supervisor/machine_tree.h"

#include "supervisor/kernel_files.h"

namespace concertina::supervisor {

std::optional<std::int64_t> read_integer(const std::string& path) {
  return read_with(path, parse_integer);
}

std::optional<std::string> read_word(const std::string& path) {
  return read_with(path, parse_word);
}

}  // namespace concertina::supervisor
