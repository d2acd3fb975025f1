#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "data/image_set.h"

/// Where the splits of folders lie.
namespace concertina::data {

/// <root>/train, or <root>/test, val, valid or validation, the first that there is; if there is none of
/// these, test. Nothing if there is no train/: then the split is a part_of() what root holds.
std::optional<std::filesystem::path> folder_of_split(const std::filesystem::path& root, Split split);

/// The same for the test split, whether or not there is a train/.
std::filesystem::path test_folder(const std::filesystem::path& root);

/// The indices of a split among `count` things that are not split, in order: a fifth of them, at least one,
/// are for the test. Always the same ones; `stream` tells one list of things from another.
std::vector<std::int64_t> part_of(std::int64_t count, Split split, std::uint64_t stream);

}  // namespace concertina::data
