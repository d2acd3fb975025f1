#include "base/processors.h"

#include <fmt/format.h>
#include <sched.h>

#include <cstring>

namespace concertina {

std::vector<int> allowed_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> processors;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return processors;
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(static_cast<std::size_t>(i), &set)) processors.push_back(i);
  return processors;
}

Status pin_thread(pthread_t thread, const std::vector<int>& processors) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int processor : processors) CPU_SET(static_cast<std::size_t>(processor), &set);
  const int refused = pthread_setaffinity_np(thread, sizeof set, &set);
  if (refused == 0) return {};
  return Error{fmt::format("the system refuses these processors ({}); nproc tells how many there are",
                           std::strerror(refused))};
}

}  // namespace concertina
