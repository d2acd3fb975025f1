#include "supervisor/cgroup.h"

#include <sys/stat.h>

#include <string>

#include "supervisor/machine_tree.h"

namespace concertina::supervisor {
namespace {

constexpr std::size_t kMaxLevels = 16;

bool is_folder(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

/// The first of the folders that is there; the first of all if none is.
std::string mount_of(const std::string& root, std::initializer_list<const char*> folders) {
  for (const char* folder : folders) {
    if (is_folder(root + folder)) return root + folder;
  }
  return root + *folders.begin();
}

/// From the cgroup up to the mount.
std::vector<std::string> levels_of(const std::string& mount, const std::string& own) {
  std::vector<std::string> levels;
  std::string path = is_folder(mount + "/" + own) ? own : "";
  while (!path.empty() && levels.size() + 1 < kMaxLevels) {
    levels.push_back(mount + "/" + path);
    const std::size_t slash = path.rfind('/');
    path.resize(slash == path.npos ? 0 : slash);
  }
  levels.push_back(mount);
  return levels;
}

std::optional<double> quota_of(const std::string& level, bool v1) {
  if (!v1) return read_with(level + "/cpu.max", parse_cpu_max);
  return cpus_of(read_integer(level + "/cpu.cfs_quota_us"), read_integer(level + "/cpu.cfs_period_us"));
}

}  // namespace

CgroupReader::CgroupReader(const std::string& root, const std::string& process) {
  const CgroupPaths paths = parse_cgroup(read_text(process + "/cgroup").value_or(""));
  v1_ = paths.v1_cpu.has_value();
  const std::string v2_mount =
      v1_ ? root + "/sys/fs/cgroup/unified" : mount_of(root, {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"});
  const auto v2_levels = levels_of(v2_mount, paths.v2.value_or(""));
  pressure_ = v2_levels.front() + "/cpu.pressure";
  levels_ =
      v1_ ? levels_of(mount_of(root, {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"}), *paths.v1_cpu)
          : v2_levels;
}

CgroupSignals CgroupReader::read() const {
  CgroupSignals signals;
  const std::string* tightest = &levels_.front();
  for (const std::string& level : levels_) {
    const auto cpus = quota_of(level, v1_);
    if (!cpus || (signals.cpus && *signals.cpus <= *cpus)) continue;
    signals.cpus = cpus;
    tightest = &level;
  }
  signals.throttling = read_with(*tightest + "/cpu.stat", parse_cpu_stat);
  signals.pressure = read_with(pressure_, parse_pressure);
  return signals;
}

}  // namespace concertina::supervisor
