#pragma once

#include <filesystem>
#include <vector>

#include "concertina/result.h"

/// Folders of images.
namespace concertina::data {

bool is_folder(const std::filesystem::path& path);

/// Whether the name is that of a .jpg, .jpeg or .png.
bool is_image(const std::filesystem::path& path);

/// What lies in the folder, but for hidden files, sorted by name.
Result<std::vector<std::filesystem::directory_entry>> list_folder(const std::filesystem::path& folder);

/// All images below a folder, sorted by path. What is hidden, or no image, is passed over.
Result<std::vector<std::filesystem::path>> list_images_in(const std::filesystem::path& folder);

}  // namespace concertina::data
