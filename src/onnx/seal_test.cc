#include "onnx/seal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concertina::onnx {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

// Hashes of "abc" by xxhsum -H3 and by a page of Python.
constexpr const char* kXxh3 = "78af5f94892f3950";
constexpr const char* kFnv1a = "e71fa2190541574b";

TEST(Seal, IsTheHashOfItsFormat) {
  for (const int format : {1, 2}) EXPECT_THAT(seal("abc", format), EndsWith(kFnv1a));
  EXPECT_THAT(seal("abc", 3), EndsWith(kXxh3));
  EXPECT_THAT(seal("abc", 3), StartsWith("abc"));
  EXPECT_EQ(seal("abc", 3).size(), 3U + 41);
}

TEST(Seal, BreaksWhenAnythingChanges) {
  for (const int format : {1, 2, 3}) {
    std::string sealed = seal("abc", format);
    EXPECT_TRUE(is_sealed(sealed, format));
    EXPECT_FALSE(is_sealed(sealed, format == 3 ? 2 : 3));
    sealed[1] = 'x';
    EXPECT_FALSE(is_sealed(sealed, format));
  }
  EXPECT_FALSE(is_sealed("", 3));
  EXPECT_FALSE(is_sealed("abc", 3));
}

}  // namespace
}  // namespace concertina::onnx
