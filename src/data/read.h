#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "concertina/result.h"
#include "data/image_set.h"

namespace concertina::data {

enum class Format { idx, cifar10, image_folder, arrays };

/// Where a data set lies and how it is to be read.
struct DatasetSpec {
  Format format = Format::idx;
  std::filesystem::path root;
  int image_size = 0;  ///< image_folder: side of the images; 0 = as they are, all of one size
  int resize = 0;      ///< the shorter side before their middle is taken; 0 = image_size
  /// image_folder: without, all images below the folders count, whatever lies where.
  bool labels = true;
  std::vector<std::string> classes{};  ///< idx: names of the labels; empty = Fashion-MNIST's or "0" .. "9"
};

/// The format of that name: "idx", "cifar10", "image_folder" or "arrays".
Result<Format> parse_format(std::string_view name);

/// The format of the data set in the folder `root`, told from the names of what lies there. Where no labels
/// are asked for, any folder that is nothing else is one of images. Opens no file.
Result<Format> detect_format(const std::filesystem::path& root, bool labels = true);

/// Fails unless both splits are there and, in folders of images, have the same classes: what would otherwise
/// be found out when training has ended. Opens no file.
Status check_splits(const DatasetSpec& spec);

/// Reads one split of images whole. Arrays are read_arrays()' (data/npy.h). No image or label of the other
/// split is opened: who has not asked for the test split cannot have seen it. The result does not depend on
/// `threads`. Precondition: threads >= 1.
Result<ImageSet> read_image_set(const DatasetSpec& spec, Split split, int threads);

}  // namespace concertina::data
