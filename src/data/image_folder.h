#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "concertina/result.h"
#include "data/image_set.h"

namespace concertina::data {

/// The images of a folder, not opened.
struct ImageFiles {
  std::vector<std::filesystem::path> files;
  std::vector<std::int32_t> labels;  ///< [file], each below classes.size()
  std::vector<std::string> classes;  ///< the name of each label
};

/// Lists the tree <root>/train/<class>/*.jpg|jpeg|png, or <root>/test/<class>/... (or val/, valid/ or
/// validation/, the first that there is). A class may keep its images in a folder "images" of its own, and a
/// test folder may keep all of its in "images" and their classes in val_annotations.txt (Tiny ImageNet). The
/// classes are the folders of train/, by name; images stand by class, then by file name. Hidden files are
/// skipped, and any other thing that is no image is an error.
///
/// Without train/ the folders of root are the classes, and a fifth of each class's images, at least one, are
/// the test images. Which ones depends on the names of its files only.
Result<ImageFiles> list_image_folder(const std::filesystem::path& root, Split split);

/// Lists images that need no labels: all below <root>/train or <root>/test (or val/ ...), by path, whatever
/// folders they are in. Without train/ all below root, of which a fifth, at least one, are the test images.
/// Other files are passed over. There are no classes, and each label is 0.
Result<ImageFiles> list_images_below(const std::filesystem::path& root, Split split);

/// Whether root is such a tree, with or without train/.
bool holds_image_folder(const std::filesystem::path& root);

/// Fails unless such a tree has both splits, with the same classes. Opens no image.
Status check_image_folder(const std::filesystem::path& root);

/// Reads listed images, at least one, as RGB. With `image_size`, they are fitted to that square out of
/// `resize` pixels (fit_centre() in data/resize.h); with 0 they are taken as they are and must all have one
/// size. Precondition: resize >= image_size.
Result<ImageSet> read_images(ImageFiles listing, int image_size, int resize, ThreadPool& pool);

}  // namespace concertina::data
