#include "data/read.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/thread_pool.h"
#include "base/try.h"
#include "data/cifar10.h"
#include "data/idx.h"
#include "data/image_folder.h"
#include "data/label_map_folder.h"
#include "data/npy.h"

namespace concertina::data {
namespace {

Status check_folder(const std::filesystem::path& root) {
  std::error_code code;
  if (std::filesystem::is_directory(root, code)) return {};
  return Error{fmt::format("'{}' is not a folder; {}", root.string(), idx_advice(root))};
}

Status check_arrays(const std::filesystem::path& root, Labels labels) {
  if (labels != Labels::none) {
    return Error{fmt::format(
        "'{}' holds arrays, which have no labels; set task = \"distill\", or give images with labels",
        root.string())};
  }
  if (holds_arrays(root)) return {};
  return Error{
      fmt::format("'{}' holds no .npy file; put one for each input of the network there", root.string())};
}

Status check_maps(const DatasetSpec& spec) {
  if (spec.labels != Labels::maps || spec.format == Format::image_folder) return {};
  return Error{fmt::format("'{}' holds no label maps; give a folder of images and maps", spec.root.string())};
}

}  // namespace

Result<Format> parse_format(std::string_view name) {
  const std::array<std::string, 4> names{"idx", "cifar10", "image_folder",
                                         "arrays"};  // in the order of Format
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<Format>(i);
  }
  return Error{fmt::format(
      "'{}' is no format of data sets; did you mean '{}'? There are idx, cifar10, image_folder and arrays",
      name, nearest_name(name, names))};
}

Result<Format> detect_format(const std::filesystem::path& root, Labels labels) {
  RETURN_IF_ERROR(check_folder(root));
  if (labels == Labels::maps) return Format::image_folder;
  if (holds_idx(root)) return Format::idx;
  if (holds_cifar10(root)) return Format::cifar10;
  if (labels == Labels::classes && holds_label_maps(root)) {
    return Error{
        fmt::format("'{}' holds images with label maps, which no classifier learns; set task = \"segment\"",
                    root.string())};
  }
  if (labels == Labels::classes && holds_image_folder(root)) return Format::image_folder;
  if (holds_arrays(root)) return Format::arrays;
  if (labels == Labels::none) return Format::image_folder;
  std::error_code code;
  if (std::filesystem::exists(root / "data_batch_1", code)) {
    return Error{fmt::format(
        "'{}' holds the Python version of CIFAR-10; use its binary version, cifar-10-binary.tar.gz",
        root.string())};
  }
  return Error{fmt::format(
      "'{}' holds no known data set; give a folder with train-images-idx3-ubyte[.gz] (MNIST family), "
      "data_batch_1.bin (CIFAR-10, binary version), "
      "or images (.jpg, .jpeg, .png) in train/<class>/ and test/<class>/ (or val/<class>/)",
      root.string())};
}

Status check_splits(const DatasetSpec& spec) {
  RETURN_IF_ERROR(check_folder(spec.root));
  RETURN_IF_ERROR(check_maps(spec));
  switch (spec.format) {
    case Format::idx:
      return check_idx(spec.root);
    case Format::cifar10:
      return check_cifar10(spec.root);
    case Format::arrays:
      return check_arrays(spec.root, spec.labels);
    case Format::image_folder:
      break;
  }
  if (spec.labels == Labels::classes) return check_image_folder(spec.root);
  for (const Split split : {Split::train, Split::test}) {
    if (const auto listing = list_image_files(spec, split); !listing) return listing.error();
  }
  return {};
}

Result<ImageFiles> list_image_files(const DatasetSpec& spec, Split split) {
  switch (spec.labels) {
    case Labels::classes:
      return list_image_folder(spec.root, split);
    case Labels::maps:
      return list_label_maps(spec.root, split);
    case Labels::none:
      break;
  }
  if (!holds_label_maps(spec.root)) return list_images_below(spec.root, split);
  // The maps beside images are no images.
  ASSIGN_OR_RETURN(ImageFiles listing, list_label_maps(spec.root, split));
  listing.maps.clear();
  return listing;
}

Result<ImageSet> read_image_files(const DatasetSpec& spec, ImageFiles listing, int threads) {
  ThreadPool pool(threads);
  const Fit fit{.channels = spec.channels,
                .image_size = spec.image_size,
                .resize = std::max(spec.resize, spec.image_size)};
  return read_images(std::move(listing), fit, pool, spec.black_and_white);
}

Result<ImageSet> read_image_set(const DatasetSpec& spec, Split split, int threads) {
  RETURN_IF_ERROR(check_folder(spec.root));
  if (spec.image_size != 0 && spec.format != Format::image_folder) {
    return Error{
        fmt::format("image_size is {}, and only folders of images are resized; leave it out for '{}'",
                    spec.image_size, spec.root.string())};
  }
  switch (spec.format) {
    case Format::idx:
      return read_idx(spec.root, split, spec.classes);
    case Format::cifar10:
      return read_cifar10(spec.root, split);
    case Format::arrays:
      return Error{fmt::format("'{}' holds arrays where images are needed", spec.root.string())};
    case Format::image_folder:
      break;
  }
  ASSIGN_OR_RETURN(ImageFiles listing, list_image_files(spec, split));
  return read_image_files(spec, std::move(listing), threads);
}

}  // namespace concertina::data
