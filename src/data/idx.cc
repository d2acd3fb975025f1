#include "data/idx.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "base/file.h"
#include "base/try.h"
#include "data/codecs.h"

namespace concertina::data {
namespace {

constexpr std::uint32_t kLargestSide = 16384;
enum class Content { labels = 1, images = 3 };  // the value is the number of dimensions

std::size_t header_bytes(Content content) {
  return 4 + 4 * static_cast<std::size_t>(content);
}

std::uint32_t big_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
  return value;
}

struct Header {
  std::array<std::uint32_t, 3> sizes{1, 1, 1};
  std::uint64_t file_bytes = 0;
};

Result<Header> parse_header(std::string_view bytes, Content content, std::string_view name) {
  const char* what = content == Content::images ? "images" : "labels";
  if (bytes.size() < header_bytes(content)) {
    return Error{
        fmt::format("'{}' ends within its header, after {} bytes; fetch it again", name, bytes.size())};
  }
  const std::uint32_t magic = 0x800u + static_cast<std::uint32_t>(content);
  if (big_endian(bytes, 0) != magic) {
    return Error{fmt::format(
        "'{}' starts with {:08x} where an IDX file of {} has {:08x}; check that it is the right file", name,
        big_endian(bytes, 0), what, magic)};
  }
  Header header;
  for (std::size_t d = 0; d < static_cast<std::size_t>(content); ++d) {
    header.sizes[d] = big_endian(bytes, 4 + 4 * d);
  }
  const auto [count, height, width] = header.sizes;
  if (count == 0) return Error{fmt::format("'{}' holds no {}; fetch it again", name, what)};
  if (std::min(height, width) == 0 || std::max(height, width) > kLargestSide) {
    return Error{
        fmt::format("'{}' says its images are {} x {} pixels, and a side must be 1 to {}; fetch it again",
                    name, height, width, kLargestSide)};
  }
  header.file_bytes = header_bytes(content) + std::uint64_t{count} * height * width;
  return header;
}

// The header, if the file has exactly the length that it says.
Result<Header> parse_whole(std::string_view bytes, Content content, std::string_view name) {
  ASSIGN_OR_RETURN(const Header header, parse_header(bytes, content, name));
  if (bytes.size() < header.file_bytes) {
    return Error{fmt::format("'{}' has {} bytes where its header says {}; it is cut short, fetch it again",
                             name, bytes.size(), header.file_bytes)};
  }
  if (bytes.size() > header.file_bytes) {
    return Error{fmt::format("'{}' goes on after the {} bytes that its header says; fetch it again", name,
                             header.file_bytes)};
  }
  return header;
}

std::string file_stem(Split split, Content content) {
  return fmt::format("{}-{}", split == Split::train ? "train" : "t10k",
                     content == Content::images ? "images-idx3-ubyte" : "labels-idx1-ubyte");
}

std::optional<std::filesystem::path> find_file(const std::filesystem::path& root, const std::string& stem) {
  std::error_code code;
  for (const char* ending : {"", ".gz"}) {
    if (std::filesystem::path path = root / (stem + ending); std::filesystem::exists(path, code)) return path;
  }
  return std::nullopt;
}

Result<std::filesystem::path> existing_file(const std::filesystem::path& root, Split split, Content content) {
  const std::string stem = file_stem(split, content);
  if (auto path = find_file(root, stem)) return *std::move(path);
  return Error{
      fmt::format("'{}' holds neither {} nor {}.gz; {}", root.string(), stem, stem, idx_advice(root))};
}

struct File {
  std::string name;
  std::string bytes;  // unpacked
};

Result<File> read_idx_file(const std::filesystem::path& root, Split split, Content content) {
  ASSIGN_OR_RETURN(const std::filesystem::path path, existing_file(root, split, content));
  std::string name = path.string();
  ASSIGN_OR_RETURN(std::string bytes, read_file(path));
  if (path.extension() != ".gz") return File{std::move(name), std::move(bytes)};
  ASSIGN_OR_RETURN(const std::string head, gunzip(bytes, header_bytes(content), name));
  ASSIGN_OR_RETURN(const Header header, parse_header(head, content, name));
  // One byte more than needed, so that bytes too many are seen.
  ASSIGN_OR_RETURN(std::string unpacked, gunzip(bytes, header.file_bytes + 1, name));
  return File{std::move(name), std::move(unpacked)};
}

bool is_fashion(const std::filesystem::path& root) {
  std::error_code code;
  std::filesystem::path path = std::filesystem::absolute(root, code).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  std::string names = path.parent_path().filename().string() + '/' + path.filename().string();
  for (char& c : names) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return names.find("fashion") != std::string::npos;
}

std::vector<std::string> default_classes(const std::filesystem::path& root) {
  if (!is_fashion(root)) return {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  return {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
          "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
}

}  // namespace

Result<IdxImages> parse_idx_images(std::string_view bytes, std::string_view name) {
  ASSIGN_OR_RETURN(const Header header, parse_whole(bytes, Content::images, name));
  const auto [count, height, width] = header.sizes;
  return IdxImages{count, static_cast<int>(height), static_cast<int>(width),
                   bytes.substr(header_bytes(Content::images))};
}

Result<std::string_view> parse_idx_labels(std::string_view bytes, std::string_view name) {
  RETURN_IF_ERROR(parse_whole(bytes, Content::labels, name));
  return bytes.substr(header_bytes(Content::labels));
}

bool holds_idx(const std::filesystem::path& root) {
  return find_file(root, file_stem(Split::train, Content::images)).has_value();
}

std::string idx_advice(const std::filesystem::path& root) {
  return is_fashion(root)
             ? "install Fashion-MNIST with 'apt-get install dataset-fashion-mnist', which puts it in "
               "/usr/share/datasets/fashion-mnist"
             : "check the path of the data set";
}

Status check_idx(const std::filesystem::path& root) {
  for (const Split split : {Split::train, Split::test}) {
    for (const Content content : {Content::images, Content::labels})
      RETURN_IF_ERROR(existing_file(root, split, content));
  }
  return {};
}

Result<ImageSet> read_idx(const std::filesystem::path& root, Split split, std::vector<std::string> classes) {
  ASSIGN_OR_RETURN(const File image_file, read_idx_file(root, split, Content::images));
  ASSIGN_OR_RETURN(const IdxImages images, parse_idx_images(image_file.bytes, image_file.name));
  ASSIGN_OR_RETURN(const File label_file, read_idx_file(root, split, Content::labels));
  ASSIGN_OR_RETURN(const std::string_view labels, parse_idx_labels(label_file.bytes, label_file.name));
  if (labels.size() != images.count) {
    return Error{fmt::format("'{}' holds {} images and '{}' {} labels; fetch the two files of one set",
                             image_file.name, images.count, label_file.name, labels.size())};
  }
  if (classes.empty()) classes = default_classes(root);
  ImageSet set{1,  images.height,     images.width, {images.pixels.begin(), images.pixels.end()},
               {}, std::move(classes)};
  set.labels.reserve(labels.size());
  for (const char label : labels) {
    set.labels.push_back(static_cast<std::uint8_t>(label));
    if (static_cast<std::size_t>(set.labels.back()) >= set.classes.size()) {
      return Error{fmt::format(
          "'{}' gives image {} the label {}, and there are {} classes; name all of the set's classes",
          label_file.name, set.size() - 1, set.labels.back(), set.classes.size())};
    }
  }
  return set;
}

}  // namespace concertina::data
