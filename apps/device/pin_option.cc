#include "device/pin_option.h"

#include <fmt/format.h>

#include "base/machine.h"

namespace concertina::apps {

void add_pin_option(CLI::App* verb, std::vector<int>& processors, const std::string& what) {
  verb->add_option("--pin", processors, what)->delimiter(',')->check(CLI::Range(0, CPU_SETSIZE - 1));
}

Status pin(const std::vector<int>& processors) {
  if (processors.empty()) return {};
  const Status pinned = pin_thread(pthread_self(), processors);
  return pinned ? pinned : Error{fmt::format("--pin: {}", pinned.error().message)};
}

}  // namespace concertina::apps
