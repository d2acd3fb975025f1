#pragma once

#include <filesystem>
#include <string_view>

#include "concertina/result.h"
#include "data/image_set.h"

namespace concertina::data {

/// Adds the images of one file of CIFAR-10's binary version (https://www.cs.toronto.edu/~kriz/cifar.html):
/// records of one label byte and 3 planes of 32 x 32. `set` is one of 3 x 32 x 32; after a failure its
/// contents are unspecified. `name` stands in the errors.
Status append_cifar10(std::string_view bytes, std::string_view name, ImageSet& set);

/// Whether the first training file of CIFAR-10's binary version lies in the folder.
bool holds_cifar10(const std::filesystem::path& root);

/// Fails unless all six files are there. Opens none.
Status check_cifar10(const std::filesystem::path& root);

/// Reads data_batch_1.bin .. data_batch_5.bin or test_batch.bin. Class names are those of batches.meta.txt,
/// or the published ones where that file is missing.
Result<ImageSet> read_cifar10(const std::filesystem::path& root, Split split);

}  // namespace concertina::data
