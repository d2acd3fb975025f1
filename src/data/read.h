#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "concertina/result.h"
#include "data/image_files.h"
#include "data/image_set.h"

namespace concertina::data {

enum class Format { idx, cifar10, image_folder, arrays };

/// What is known of each image: the class, the class of each pixel, or nothing.
enum class Labels { classes, maps, none };

/// Where a data set lies and how it is to be read.
struct DatasetSpec {
  Format format = Format::idx;
  std::filesystem::path root;
  int image_size = 0;  ///< image_folder: side of the images; 0 = as they are, all of one size
  int resize = 0;      ///< the shorter side before their middle is taken; 0 = image_size
  int channels = 3;    ///< image_folder: 1 makes images gray
  /// image_folder: with none, all images below the folders count, whatever lies where.
  Labels labels = Labels::classes;
  std::optional<bool> black_and_white = {};  ///< the label maps are masks of 0 and 255; none: told from them
  std::vector<std::string> classes{};  ///< idx: names of the labels; empty = Fashion-MNIST's or "0" .. "9"
};

/// The format of that name: "idx", "cifar10", "image_folder" or "arrays".
Result<Format> parse_format(std::string_view name);

/// The format of the data set in the folder `root`, told from the names of what lies there. Where no classes
/// are asked for, any folder that is nothing else is one of images. Opens no file.
Result<Format> detect_format(const std::filesystem::path& root, Labels labels = Labels::classes);

/// Fails unless both splits are there and, in folders of images, have the same classes: what would otherwise
/// be found out when training has ended. Opens no file.
Status check_splits(const DatasetSpec& spec);

/// Lists the images of a split. Precondition: spec.format is image_folder.
Result<ImageFiles> list_image_files(const DatasetSpec& spec, Split split);

/// Reads listed images, maybe only some of them, as the data set says. Preconditions: spec.format is
/// image_folder, threads >= 1.
Result<ImageSet> read_image_files(const DatasetSpec& spec, ImageFiles listing, int threads);

/// Reads one split of images whole. Arrays are read_arrays()' (data/npy.h). No image or label of the other
/// split is opened: who has not asked for the test split cannot have seen it. The result does not depend on
/// `threads`. Precondition: threads >= 1.
Result<ImageSet> read_image_set(const DatasetSpec& spec, Split split, int threads);

}  // namespace concertina::data
