#pragma once

#include <filesystem>

#include "concertina/result.h"
#include "data/image_files.h"

namespace concertina::data {

/// Lists images with label maps (data/label_map.h): <root>/train/images/... and <root>/train/masks/..., the
/// other way round (<root>/images/train/...), or Pascal VOC's JPEGImages/, SegmentationClass/ and
/// ImageSets/Segmentation/*.txt. "masks" may be "labels", "annotations" or "label_maps", and "train"
/// "training"; the test images are in test, val, valid or validation. Without a folder for the split a fifth,
/// at least one, are the test images. A map has its image's path, maybe with "_mask" after the name, and ends
/// in .png. What is hidden, or no image, is passed over. Sorted by path. Fails if an image has no map or a
/// map no image.
Result<ImageFiles> list_label_maps(const std::filesystem::path& root, Split split);

/// Whether root is such a tree.
bool holds_label_maps(const std::filesystem::path& root);

}  // namespace concertina::data
