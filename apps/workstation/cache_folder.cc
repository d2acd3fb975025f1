#include "workstation/cache_folder.h"

#include <cstdlib>

namespace concertina::apps {

std::filesystem::path cache_folder() {
  const char *caches = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  if (caches && std::filesystem::path(caches).is_absolute())
    return std::filesystem::path(caches) / "concertina";
  if (home && std::filesystem::path(home).is_absolute())
    return std::filesystem::path(home) / ".cache" / "concertina";
  return {};
}

}  // namespace concertina::apps
