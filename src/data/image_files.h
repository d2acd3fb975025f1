#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "concertina/result.h"
#include "data/image.h"
#include "data/image_set.h"
#include "data/label_map.h"

namespace concertina::data {

/// The images of a folder, not opened.
struct ImageFiles {
  std::vector<std::filesystem::path> files;
  std::vector<std::int32_t> labels;              ///< [file], each below classes.size()
  std::vector<std::string> classes;              ///< the name of each label
  std::vector<std::filesystem::path> maps = {};  ///< [file] label maps in place of labels, which are 0 then
};

/// What becomes of images of any size and kind.
struct Fit {
  int channels = 3;    ///< 1: gray
  int image_size = 0;  ///< side of a square; 0: as they are, all of one size
  int resize = 0;      ///< pixels of the shorter side before the middle is taken; at least image_size
};

/// Reads listed images, at least one, and their label maps. With `fit.image_size`, they are fitted to that
/// square (fit_centre() in data/crop.h). The classes of label maps are named by their numbers; whether they
/// are masks in black and white is told from their values if it is not known. Fails with a list of all files
/// that cannot be used.
Result<ImageSet> read_images(ImageFiles listing, const Fit& fit, ThreadPool& pool,
                             std::optional<bool> black_and_white = {});

/// Finds files that are no whole images by their beginning and end, and decodes those in doubt and all label
/// maps. Fails with a list of them. The values that the maps have.
Result<LabelValues> check_images(const ImageFiles& listing, ThreadPool& pool);

/// An image of any size, gray if `channels` is 1, else RGB.
Result<Image> read_with_channels(const std::filesystem::path& file, int channels);

/// A label map of the image's size.
Result<Image> read_map_of(const Image& image, const std::filesystem::path& map);

}  // namespace concertina::data
