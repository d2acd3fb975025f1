#include "capi/outcome.h"

#include <cstring>
#include <new>
#include <stdexcept>

#include "capi/testing.h"

namespace concertina::testing {
namespace {

TEST(COutcome, NoExceptionLeaves) {
  concertina_error error;
  EXPECT_EQ(capi::guarded(&error, []() -> capi::Outcome { throw std::bad_alloc(); }),
            CONCERTINA_OUT_OF_MEMORY);
  EXPECT_STRNE(error.message, "");
  EXPECT_EQ(capi::guarded(&error, []() -> capi::Outcome { throw std::runtime_error("the reason"); }),
            CONCERTINA_FAILED);
  EXPECT_STREQ(error.message, "the reason");
  EXPECT_EQ(capi::guarded(&error, []() -> capi::Outcome { throw 3; }), CONCERTINA_FAILED);
  EXPECT_STRNE(error.message, "");
  EXPECT_EQ(capi::guarded(nullptr, []() -> capi::Outcome { throw 3; }), CONCERTINA_FAILED);
}

TEST(COutcome, SuccessEmptiesTheSentence) {
  concertina_error error;
  EXPECT_EQ(capi::guarded(&error, []() -> capi::Outcome { return Error{"a sentence"}; }), CONCERTINA_FAILED);
  EXPECT_STREQ(error.message, "a sentence");
  EXPECT_EQ(capi::guarded(&error, [] { return capi::Outcome(); }), CONCERTINA_OK);
  EXPECT_STREQ(error.message, "");
}

TEST(COutcome, LongSentencesAreCutBetweenCharacters) {
  constexpr std::size_t kMost = sizeof(concertina_error::message) - 1;
  concertina_error error;
  capi::write_error(&error, std::string(kMost, 'x'));
  EXPECT_EQ(std::strlen(error.message), kMost);
  for (std::size_t before = kMost - 4; before <= kMost; ++before) {
    capi::write_error(&error,
                      std::string(before, 'x') + "\xE2\x82\xAC" + "yyyy");  // a character of three bytes
    const bool fits = before + 3 <= kMost;
    const std::size_t length = std::strlen(error.message);
    if (fits) {
      EXPECT_GE(length, before + 3);
    } else {
      EXPECT_EQ(length, before);
    }
  }
}

}  // namespace
}  // namespace concertina::testing
