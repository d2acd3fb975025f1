#pragma once

#include <filesystem>

#include "base/thread_pool.h"
#include "concertina/result.h"
#include "data/image_set.h"

namespace concertina {

/// Reads the tree <root>/train/<class>/*.jpg|jpeg|png or <root>/{test,val}/<class>/... (test/ if there are
/// both) as RGB. The classes are the folders of train/, by name; images stand by class, then by file name.
/// Hidden files are skipped, and any other thing that is no image is an error. With `image_size`, images are
/// fitted to that square (data/resize.h); with 0 they are taken as they are and must all have one size.
Result<ImageSet> read_image_folder(const std::filesystem::path& root, Split split, int image_size,
                                   ThreadPool& pool);

}  // namespace concertina
