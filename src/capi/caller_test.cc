#include "capi/caller.h"

#include "capi/testing.h"

namespace concertina::testing {
namespace {

TEST(CCaller, GetsWhatItAsksFor) {
  EXPECT_EQ(concertina_call_from_c(model_bytes().data(), model_bytes().size()), 0) << "a line of caller.c";
}

}  // namespace
}  // namespace concertina::testing
