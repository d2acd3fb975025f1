// Any bytes as each of the files that a machine shows its signals in. What is understood must be in its
// range.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "supervisor/kernel_files.h"

using namespace concertina;
using namespace concertina::supervisor;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_share(double value) {
  return value >= 0 && value <= 1;
}

bool stays_below(const std::optional<std::string>& path) {
  return !path || (!path->starts_with('/') && ("/" + *path + "/").find("/../") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto pressure = supervisor::parse_pressure(text))
    require(is_share(pressure->avg10) && is_share(pressure->avg60));
  if (const auto throttling = supervisor::parse_cpu_stat(text)) require(throttling->held >= Time(0));
  if (const auto cpus = supervisor::parse_cpu_max(text)) require(*cpus > 0);
  if (const auto celsius = supervisor::parse_temperature(text)) require(*celsius >= -50 && *celsius <= 200);
  const supervisor::CgroupPaths paths = supervisor::parse_cgroup(text);
  require(stays_below(paths.v1_cpu) && stays_below(paths.v2));
  if (const auto time = supervisor::parse_schedstat(text))
    require(supervisor::parse_schedstat(std::to_string(time->ran_ns) + " " + std::to_string(time->waited_ns) +
                                        " 0") == time);
  if (const auto number = supervisor::parse_integer(text))
    require(supervisor::parse_integer(std::to_string(*number)) == number);
  if (const auto word = supervisor::parse_word(text))
    require(!word->empty() && supervisor::parse_word(*word) == word);
  return 0;
}
