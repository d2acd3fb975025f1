#include "kernels/bandwidth.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>

#include "base/page_memory.h"

namespace concertina::kernels {
namespace {

constexpr std::size_t kBytes = std::size_t{64} << 20;

double copies_per_second(const PageMemory& from, PageMemory& to) {
  double best = 0;
  for (int attempt = 0; attempt < 6; ++attempt) {  // the first touches the pages
    const auto start = std::chrono::steady_clock::now();
    std::memcpy(to.data(), from.data(), kBytes);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    static_cast<char*>(from.data())[attempt] = static_cast<char*>(to.data())[kBytes - 1];  // not left out
    best = std::max(best, 1 / took.count());
  }
  return best;
}

}  // namespace

double memory_gbytes_per_second() {
  try {
    const PageMemory from(kBytes);
    PageMemory to(kBytes);
    std::memset(from.data(), 1, kBytes);  // pages of zeros are one page
    return copies_per_second(from, to) * 2 * static_cast<double>(kBytes) / 1e9;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}

}  // namespace concertina::kernels
