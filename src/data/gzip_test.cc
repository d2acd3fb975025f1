#include <gmock/gmock.h>

#include "data/codecs.h"
#include "testing/image_files.h"

namespace concertina::data {
namespace {

using ::testing::HasSubstr;

TEST(Gzip, GivesBackWhatWasPacked) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{100'000}}) {
    const std::string bytes(size, 'x');
    EXPECT_EQ(*gunzip(testing::to_gzip(bytes), size + 1, "f"), bytes);
  }
}

TEST(Gzip, GoesOnOverJoinedFiles) {
  EXPECT_EQ(*gunzip(testing::to_gzip("one") + testing::to_gzip("two"), 100, "f"), "onetwo");
}

TEST(Gzip, StopsAtTheLimit) {
  EXPECT_EQ(gunzip(testing::to_gzip(std::string(1 << 20, 'x')), 1000, "f")->size(), 1000u);
}

TEST(Gzip, SeesThatTheEndIsMissing) {
  const std::string whole = testing::to_gzip("some bytes of data");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto cut = gunzip(whole.substr(0, size), 100, "f.gz");
    EXPECT_THAT(testing::error_of(cut), HasSubstr("'f.gz' ends in the middle of its gzip data")) << size;
  }
}

TEST(Gzip, SeesDamage) {
  std::string wrong_sum = testing::to_gzip("some bytes of data");
  wrong_sum[wrong_sum.size() - 8] ^= 1;
  for (const std::string& bytes :
       {wrong_sum, std::string("this is no gzip"), testing::to_gzip("one") + "trailing bytes"}) {
    const auto damaged = gunzip(bytes, 100, "f.gz");
    EXPECT_THAT(testing::error_of(damaged), HasSubstr("'f.gz' is not valid gzip data"));
  }
}

}  // namespace
}  // namespace concertina::data
