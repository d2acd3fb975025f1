#include "base/page_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

namespace concertina {
namespace {

std::span<char> bytes_of(const PageMemory& memory) {
  return {static_cast<char*>(memory.data()), memory.size()};
}

class PageMemoryTest : public ::testing::TestWithParam<std::size_t> {};

TEST_P(PageMemoryTest, IsZeroedAlignedAndWritableToItsEnd) {
  for (int i = 0; i < 2; ++i) {  // the second may get the memory of the first
    const PageMemory memory(GetParam());
    EXPECT_EQ(memory.size(), GetParam());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.data()) % PageMemory::kAlignment, 0u);
    EXPECT_TRUE(std::ranges::all_of(bytes_of(memory), [](char c) { return c == 0; }));
    std::ranges::fill(bytes_of(memory), 'x');
  }
}

TEST_P(PageMemoryTest, MovesWithItsBytes) {
  PageMemory from(GetParam());
  std::ranges::fill(bytes_of(from), 'x');
  PageMemory to = std::move(from);
  PageMemory last(1);
  last = std::move(to);
  EXPECT_EQ(last.size(), GetParam());
  EXPECT_TRUE(std::ranges::all_of(bytes_of(last), [](char c) { return c == 'x'; }));
}

// Around the size from which memory comes from the system, and around a large page.
INSTANTIATE_TEST_SUITE_P(Sizes, PageMemoryTest,
                         ::testing::Values(0, 1, 63, 64, (1 << 20) - 1, 1 << 20, (1 << 21) - 1, 1 << 21,
                                           (1 << 21) + 1, 10'000'000));

#ifndef CONCERTINA_SANITIZED  // a sanitizer stops the program instead
TEST(PageMemory, WhatNoMachineHasThrows) {
  EXPECT_THROW(PageMemory(SIZE_MAX), std::bad_alloc);
  EXPECT_THROW(PageMemory(SIZE_MAX / 2), std::bad_alloc);
}
#endif

}  // namespace
}  // namespace concertina
