#include "base/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "testing/each_allocation.h"
#include "testing/temporary_folder.h"

namespace concertina {
namespace {

/// A root folder of files that a test makes up.
class MachineTest : public ::testing::Test {
 protected:
  void put(const char* path, const char* text) { root_.write(path, text); }

  const testing::TestFolder root_;
};

TEST_F(MachineTest, FindsNoQuotaWhereThereIsNone) {
  EXPECT_FALSE(cpu_quota(root_));
  put("proc/self/cgroup", "0::/a\n");
  put("sys/fs/cgroup/a/cpu.max", "max 100000\n");
  EXPECT_FALSE(cpu_quota(root_));
  EXPECT_GE(usable_cores(root_), 1);
}

TEST_F(MachineTest, TakesTheLeastQuotaOfTheGroupsAround) {
  put("proc/self/cgroup", "0::/a/b\n");
  put("sys/fs/cgroup/a/b/cpu.max", "300000 100000\n");
  put("sys/fs/cgroup/a/cpu.max", "50000 100000\n");
  EXPECT_THAT(cpu_quota(root_), ::testing::Optional(0.5));
  EXPECT_EQ(usable_cores(root_), 1);
}

TEST_F(MachineTest, ReadsVersionOne) {
  put("proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/x\n3:cpuset:/x\n");
  put("sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us", "150000\n");
  put("sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n");
  put("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  put("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_THAT(cpu_quota(root_), ::testing::Optional(1.5));
}

TEST_F(MachineTest, NamesEachGovernorOnce) {
  EXPECT_EQ(frequency_governor(root_), "");
  put("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "schedutil\n");
  put("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "performance\n");
  put("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "schedutil\n");
  EXPECT_EQ(frequency_governor(root_), "performance, schedutil");
}

TEST_F(MachineTest, MayRunOutOfMemory) {
  if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  put("proc/self/cgroup", "3:cpu,cpuacct:/a_group_with_a_long_name/b\n0::/a_group_with_a_long_name/b\n");
  put("sys/fs/cgroup/cpu,cpuacct/a_group_with_a_long_name/b/cpu.cfs_quota_us", "150000\n");
  put("sys/fs/cgroup/cpu,cpuacct/a_group_with_a_long_name/b/cpu.cfs_period_us", "100000\n");
  put("sys/fs/cgroup/a_group_with_a_long_name/cpu.max", "50000 100000\n");
  for (int i = 0; i < 3; ++i)
    put(("sys/devices/system/cpu/cpu" + std::to_string(i) + "/cpufreq/scaling_governor").c_str(),
        "schedutil\n");
  EXPECT_GT(testing::fail_each_allocation_inside([&] { return cpu_quota(root_); }), 0);
  EXPECT_GT(testing::fail_each_allocation_inside([&] { return usable_cores(root_); }), 0);
  EXPECT_GT(testing::fail_each_allocation_inside([&] { return frequency_governor(root_); }), 0);
  EXPECT_GT(testing::fail_each_allocation_inside([] { return cpu_name(); }), 0);
}

// A thread of its own, which ends with its affinity.
TEST_F(MachineTest, UsesTheProcessorsThatItMay) {
  const std::vector<int> allowed = allowed_processors();
  EXPECT_EQ(usable_cores(root_), static_cast<int>(allowed.size()));
  std::thread([&] {
    ASSERT_TRUE(pin_thread(pthread_self(), {allowed.back()}));
    EXPECT_EQ(usable_cores(root_), 1);
  }).join();
}

}  // namespace
}  // namespace concertina
