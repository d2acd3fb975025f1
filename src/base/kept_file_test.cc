#include "base/kept_file.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "testing/temporary_folder.h"

namespace concertina {
namespace {

namespace fs = std::filesystem;

bool keep(const fs::path& path, std::string_view bytes) {
  const std::string_view pieces[] = {bytes.substr(0, bytes.size() / 3), bytes.substr(bytes.size() / 3)};
  return keep_file(path, pieces);
}

std::string kept(const fs::path& path) {
  const auto file = KeptFile::open(path);
  return file ? std::string(file->view()) : "none";
}

std::ptrdiff_t files_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), {});
}

class KeptFileTest : public ::testing::Test {
 protected:
  const testing::TestFolder folder_;
};

TEST_F(KeptFileTest, GivesBackWhatWasKept) {
  const std::string bytes(100'000, 'x');
  ASSERT_TRUE(keep(folder_ / "deep" / "a", bytes));
  EXPECT_EQ(kept(folder_ / "deep" / "a"), bytes);
  ASSERT_TRUE(keep(folder_ / "deep" / "a", "new"));
  EXPECT_EQ(kept(folder_ / "deep" / "a"), "new");
  EXPECT_EQ(files_in(folder_ / "deep"), 1);
  struct stat info {};
  ASSERT_EQ(::stat((folder_ / "deep" / "a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(KeptFileTest, StaysWhatItWasWhileItIsReplacedOrDeleted) {
  ASSERT_TRUE(keep(folder_ / "a", "old"));
  const auto file = KeptFile::open(folder_ / "a");
  ASSERT_TRUE(file);
  ASSERT_TRUE(keep(folder_ / "a", "new"));
  fs::remove(folder_ / "a");
  EXPECT_EQ(file->view(), "old");
}

TEST_F(KeptFileTest, IsNoOtherKindOfFile) {
  fs::create_directory(folder_ / "folder");
  folder_.write("empty", "");
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  for (const char* name : {"nothing", "folder", "empty", "pipe"}) EXPECT_EQ(kept(folder_ / name), "none");
}

TEST_F(KeptFileTest, IsNothingThatOthersCouldHaveWritten) {
  ASSERT_TRUE(keep(folder_ / "a", "bytes"));
  for (const mode_t mode : {0620U, 0602U, 0666U}) {
    ASSERT_EQ(::chmod((folder_ / "a").c_str(), mode), 0);
    EXPECT_EQ(kept(folder_ / "a"), "none");
  }
  ASSERT_EQ(::chmod((folder_ / "a").c_str(), 0644), 0);
  EXPECT_EQ(kept(folder_ / "a"), "bytes");
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(::chown((folder_ / "a").c_str(), 1, 1), 0);
  EXPECT_EQ(kept(folder_ / "a"), "none");
}

TEST_F(KeptFileTest, IsNotWrittenWhereThatCannotBe) {
  folder_.write("file", "x");
  EXPECT_FALSE(keep(folder_ / "file" / "a", "bytes"));
  EXPECT_FALSE(keep("/proc/a", "bytes"));
  fs::create_directory(folder_ / "taken");
  EXPECT_FALSE(keep(folder_ / "taken", "bytes"));
  EXPECT_EQ(files_in(folder_), 2);
  const auto lock = FolderLock::take(folder_);
  ASSERT_TRUE(lock);
  EXPECT_FALSE(keep(folder_ / "a", "bytes"));
}

TEST_F(KeptFileTest, TakesThePlaceOfWhatAKilledProcessLeft) {
  folder_.write("a.partial", "half");
  fs::create_symlink(folder_ / "a.partial", folder_ / "b.partial");
  ASSERT_TRUE(keep(folder_ / "b", "bytes"));
  EXPECT_EQ(*read_file(folder_ / "a.partial"), "half");  // links are not followed
  ASSERT_TRUE(keep(folder_ / "a", "bytes"));
  EXPECT_EQ(kept(folder_ / "a"), "bytes");
  EXPECT_EQ(files_in(folder_), 2);
}

// Otherwise the system would end the process.
TEST_F(KeptFileTest, KeepsWithinTheLimitOfTheProcess) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit limit = before;
  limit.rlim_cur = 1000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const bool large = keep(folder_ / "a", std::string(1001, 'x')), small = keep(folder_ / "b", "bytes");
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_FALSE(large);
  EXPECT_TRUE(small);
  EXPECT_EQ(files_in(folder_), 1);
}

constexpr int kCannotMount = 77;

/// The exit code of a process that writes on a disk of 64 KiB.
int fill_disk(const fs::path& disk) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=64k") != 0)
    return kCannotMount;
  if (!keep(disk / "a", "old")) return 1;
  if (keep(disk / "a", std::string(200'000, 'n'))) return 2;
  if (kept(disk / "a") != "old" || files_in(disk) != 1) return 3;
  return keep(disk / "b", std::string(10'000, 'n')) ? 0 : 4;
}

TEST_F(KeptFileTest, LeavesNothingBrokenOnAFullDisk) {
  const pid_t child = fork();
  if (child == 0) _exit(fill_disk(folder_));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kCannotMount) GTEST_SKIP() << "only root can mount a small disk";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(KeptFileTest, OneOfSeveralWritersIsEnough) {
  constexpr int kWriters = 6;
  const auto bytes = [](int writer) { return std::string(1 << 20, static_cast<char>('a' + writer)); };
  for (int i = 0; i < kWriters; ++i) {
    if (fork() != 0) continue;
    for (int round = 0; round < 20; ++round) keep(folder_ / "a", bytes(i));
    _exit(0);
  }
  bool whole = true;
  int ended = 0;
  while (ended < kWriters) {
    const std::string now = kept(folder_ / "a");
    whole = whole && (now == "none" || (now.size() == 1 << 20 && now.find_first_not_of(now[0]) == now.npos));
    if (waitpid(-1, nullptr, WNOHANG) > 0) ++ended;
  }
  EXPECT_TRUE(whole);
  EXPECT_NE(kept(folder_ / "a"), "none");
  EXPECT_EQ(files_in(folder_), 1);
}

}  // namespace
}  // namespace concertina
