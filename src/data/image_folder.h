#pragma once

#include <filesystem>

#include "concertina/result.h"
#include "data/image_files.h"

namespace concertina::data {

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

}  // namespace concertina::data
