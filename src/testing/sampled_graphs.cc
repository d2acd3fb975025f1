#include "testing/sampled_graphs.h"

#ifndef __has_feature
#define __has_feature(feature) 0
#endif

namespace concertina::testing {

std::vector<NamedGraph> sampled_graphs() {
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
  constexpr std::size_t kEvery = 6;
#else
  constexpr std::size_t kEvery = 1;
#endif
  std::vector<NamedGraph> sampled;
  const std::vector<NamedGraph> all = test_graphs();
  for (std::size_t i = 0; i < all.size(); i += kEvery) sampled.push_back(all[i]);
  return sampled;
}

}  // namespace concertina::testing
