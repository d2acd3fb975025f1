#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "concertina/result.h"
#include "data/image_set.h"

namespace concertina::data {

/// The contents of an IDX file of images (http://yann.lecun.com/exdb/mnist): views into the bytes given.
struct IdxImages {
  std::uint32_t count = 0;
  int height = 0;
  int width = 0;
  std::string_view pixels;  // [count][height][width]
};

/// Fails unless `bytes` is exactly one IDX file of 8-bit images, at least one. `name` stands in the errors.
Result<IdxImages> parse_idx_images(std::string_view bytes, std::string_view name);

/// The labels of an IDX file, one a byte; at least one. `name` stands in the errors.
Result<std::string_view> parse_idx_labels(std::string_view bytes, std::string_view name);

/// Whether the training images of an IDX data set lie in the folder.
bool holds_idx(const std::filesystem::path& root);

/// What to do when files are missing at `root`.
std::string idx_advice(const std::filesystem::path& root);

/// Fails unless all four files are there. Opens none.
Status check_idx(const std::filesystem::path& root);

/// Reads {train,t10k}-{images-idx3,labels-idx1}-ubyte[.gz]. `classes` names the labels; empty:
/// Fashion-MNIST's names when the folder (or its parent) has "fashion" in its name, else "0" .. "9".
Result<ImageSet> read_idx(const std::filesystem::path& root, Split split,
                          std::vector<std::string> classes = {});

}  // namespace concertina::data
