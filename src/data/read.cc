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

namespace concertina::data {
namespace {

Status check_folder(const std::filesystem::path& root) {
  std::error_code code;
  if (std::filesystem::is_directory(root, code)) return {};
  return Error{fmt::format("'{}' is not a folder; {}", root.string(), idx_advice(root))};
}

}  // namespace

Result<Format> parse_format(std::string_view name) {
  const std::array<std::string, 3> names{"idx", "cifar10", "image_folder"};  // in the order of Format
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<Format>(i);
  }
  return Error{fmt::format(
      "'{}' is no format of data sets; did you mean '{}'? There are idx, cifar10 and image_folder", name,
      nearest_name(name, names))};
}

Result<Format> detect_format(const std::filesystem::path& root) {
  RETURN_IF_ERROR(check_folder(root));
  if (holds_idx(root)) return Format::idx;
  if (holds_cifar10(root)) return Format::cifar10;
  if (holds_image_folder(root)) return Format::image_folder;
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
  switch (spec.format) {
    case Format::idx:
      return check_idx(spec.root);
    case Format::cifar10:
      return check_cifar10(spec.root);
    case Format::image_folder:
      break;
  }
  return check_image_folder(spec.root);
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
    case Format::image_folder:
      break;
  }
  ThreadPool pool(threads);
  return read_image_folder(spec.root, split, spec.image_size, std::max(spec.resize, spec.image_size), pool);
}

}  // namespace concertina::data
