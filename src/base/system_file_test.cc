#include "base/system_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "testing/temporary_folder.h"

namespace concertina {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;

TEST(SystemFile, IsReadWhole) {
  const testing::TestFolder root;
  EXPECT_EQ(read_text(root.write("short", "a\nb\n")), "a\nb\n");
  EXPECT_EQ(read_text(root.write("empty", "")), "");
  EXPECT_THAT(read_text(root.write("longest", std::string(16384, 'x'))), Optional(SizeIs(16384)));
  const fs::path longer = root.write("longer", std::string(20'000, 'x'));
  EXPECT_FALSE(read_text(longer));
  EXPECT_THAT(read_beginning(longer), Optional(SizeIs(16384)));
}

// Sysfs has no such things, but a root folder may.
TEST(SystemFile, IsNoDeviceFolderPipeOrLoop) {
  const testing::TestFolder root;
  fs::create_symlink("/dev/zero", root / "zero");
  fs::create_symlink("loop", root / "loop");
  ASSERT_EQ(::mkfifo((root / "pipe").c_str(), 0600), 0);
  for (const char* name : {"zero", "loop", "pipe", "missing", "."}) {
    EXPECT_FALSE(read_text(root / name)) << name;
    EXPECT_FALSE(read_beginning(root / name)) << name;
  }
}

TEST(SystemFile, EntriesComeInTheOrderOfTheirNumbers) {
  const testing::TestFolder folder;
  for (const char* name : {"zone10", "zone2", "zone1", "other"}) folder.write(name, "");
  const std::string root = folder.path();
  EXPECT_THAT(entries_of(root, "zone"), ElementsAre(root + "/zone1", root + "/zone2", root + "/zone10"));
  EXPECT_THAT(entries_of(root, ""), SizeIs(4));
  EXPECT_THAT(entries_of(root + "/missing", ""), IsEmpty());
  EXPECT_THAT(entries_of(root + "/other", ""), IsEmpty());
}

}  // namespace
}  // namespace concertina
