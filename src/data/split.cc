#include "data/split.h"

#include <algorithm>

#include "base/random.h"
#include "data/files.h"

namespace concertina::data {
namespace {

constexpr const char* kTestFolders[] = {"test", "val", "valid", "validation"};

}  // namespace

std::filesystem::path test_folder(const std::filesystem::path& root) {
  for (const char* name : kTestFolders) {
    if (is_folder(root / name)) return root / name;
  }
  return root / kTestFolders[0];
}

std::optional<std::filesystem::path> folder_of_split(const std::filesystem::path& root, Split split) {
  if (!is_folder(root / "train")) return std::nullopt;
  return split == Split::train ? root / "train" : test_folder(root);
}

std::vector<std::int64_t> part_of(std::int64_t count, Split split, std::uint64_t stream) {
  constexpr std::uint64_t kSeed = 1;
  auto order = CounterRandom(kSeed, stream).permutation(count);
  const auto middle = order.begin() + std::min(count, std::max<std::int64_t>(1, count / 5));
  std::vector<std::int64_t> part =
      split == Split::test ? std::vector(order.begin(), middle) : std::vector(middle, order.end());
  std::sort(part.begin(), part.end());
  return part;
}

}  // namespace concertina::data
