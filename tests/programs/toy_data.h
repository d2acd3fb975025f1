#pragma once

#include <filesystem>

namespace concertina::testing {

/// Writes a data set in IDX files that a tiny network learns in seconds: 16x16 gray images, told apart by
/// where a noisy bright patch lies; labels repeat 0, 1, 2.
void write_toy_data(const std::filesystem::path& folder, int train_images, int test_images);

}  // namespace concertina::testing
