#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "testing/temporary_folder.h"

namespace concertina {
namespace {

using ::testing::HasSubstr;

class FileTest : public ::testing::Test {
 protected:
  const testing::TestFolder folder_;
};

TEST_F(FileTest, GivesBackWhatWasWritten) {
  const std::string bytes("a\0b\n", 4);
  ASSERT_TRUE(write_file(folder_ / "deep" / "x", bytes));
  EXPECT_EQ(*read_file(folder_ / "deep" / "x"), bytes);
}

TEST_F(FileTest, AppendsLines) {
  ASSERT_TRUE(append_line(folder_ / "log", "one"));
  ASSERT_TRUE(append_line(folder_ / "log", "two"));
  EXPECT_EQ(*read_file(folder_ / "log"), "one\ntwo\n");
}

TEST_F(FileTest, SaysWhichFileIsMissing) {
  const auto missing = read_file(folder_ / "nothing");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("nothing"));
  EXPECT_THAT(missing.error().message, HasSubstr("check the path"));
}

TEST_F(FileTest, RefusesAFolder) {
  const auto folder = read_file(::testing::TempDir());
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error().message, HasSubstr("is a folder"));
}

// A file size limit stands in for a full disk: write() fails in the same place.
TEST_F(FileTest, KeepsTheOldBytesWhenThereIsNoRoom) {
  ASSERT_TRUE(write_file(folder_ / "x", "old"));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit = before;
  limit.rlim_cur = 1000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const Status failed = write_file(folder_ / "x", std::string(100'000, 'n'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);

  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("free some space"));
  EXPECT_EQ(*read_file(folder_ / "x"), "old");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x.partial"));
}

TEST_F(FileTest, TriesAPathBeforeThereIsAnythingToWrite) {
  folder_.write("file", "old");
  EXPECT_TRUE(check_writable(folder_ / "file"));
  EXPECT_TRUE(check_writable(folder_ / "new"));
  EXPECT_TRUE(check_writable(folder_ / "one" / "two" / "new"));
  EXPECT_EQ(*read_file(folder_ / "file"), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);  // nothing is left
  EXPECT_THAT(check_writable(folder_).error().message, HasSubstr("is a folder"));
  EXPECT_THAT(check_writable(folder_ / "file" / "new").error().message, HasSubstr("cannot write"));
  EXPECT_THAT(check_writable("/proc/new").error().message, HasSubstr("cannot write '/proc/new'"));
}

class FolderLockTest : public ::testing::Test {
 protected:
  const testing::TestFolder folder_;
};

TEST_F(FolderLockTest, HasOneHolder) {
  const auto first = FolderLock::take(folder_ / "run");
  ASSERT_TRUE(first) << first.error().message;
  const auto second = FolderLock::take(folder_ / "run");
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message,
              HasSubstr("another process is working in '" + (folder_ / "run").string()));
  EXPECT_TRUE(FolderLock::take(folder_ / "other"));
}

TEST_F(FolderLockTest, EndsWithItsHolder) {
  {
    Result<FolderLock> taken = FolderLock::take(folder_);
    ASSERT_TRUE(taken);
    const FolderLock moved = std::move(taken).value();
    EXPECT_FALSE(FolderLock::take(folder_));
  }
  EXPECT_TRUE(FolderLock::take(folder_));
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(FolderLockTest, SaysWhyThereIsNoFolder) {
  folder_.write("file", "x");
  const auto taken = FolderLock::take(folder_ / "file" / "run");
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr("cannot create the folder"));
}

}  // namespace
}  // namespace concertina
