#include "base/folder_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/temporary_folder.h"

namespace concertina {
namespace {

using ::testing::HasSubstr;

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
