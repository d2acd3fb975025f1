#include "data/cifar10.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/try.h"

namespace concertina::data {
namespace {

constexpr int kSide = 32;
constexpr int kChannels = 3;
constexpr std::size_t kPlane = kSide * kSide;
constexpr std::size_t kRecord = 1 + kChannels * kPlane;
constexpr std::size_t kClasses = 10;

Result<std::vector<std::string>> read_classes(const std::filesystem::path& root) {
  const std::filesystem::path path = root / "batches.meta.txt";
  std::error_code code;
  if (!std::filesystem::exists(path, code)) {
    return std::vector<std::string>{"airplane", "automobile", "bird",  "cat",  "deer",
                                    "dog",      "frog",       "horse", "ship", "truck"};
  }
  ASSIGN_OR_RETURN(std::string text, read_file(path));
  std::erase(text, '\r');
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) names.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (names.size() == kClasses) return names;
  return Error{fmt::format("'{}' names {} classes where CIFAR-10 has {}; fetch it again", path.string(),
                           names.size(), kClasses)};
}

std::vector<std::string> files_of(Split split) {
  if (split == Split::test) return {"test_batch.bin"};
  return {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"};
}

}  // namespace

Status append_cifar10(std::string_view bytes, std::string_view name, ImageSet& set) {
  if (bytes.empty()) return Error{fmt::format("'{}' holds no images; fetch it again", name)};
  if (bytes.size() % kRecord != 0) {
    return Error{
        fmt::format("'{}' has {} bytes, which is no multiple of the {} of one image; it is cut short or not "
                    "of CIFAR-10's binary version, fetch it again",
                    name, bytes.size(), kRecord)};
  }
  std::size_t out = set.pixels.size();
  set.pixels.resize(out + bytes.size() / kRecord * (kRecord - 1));
  for (std::size_t at = 0; at < bytes.size(); at += kRecord) {
    const auto label = static_cast<std::uint8_t>(bytes[at]);
    if (label >= kClasses) {
      return Error{fmt::format("'{}' gives image {} the label {}, above the {} of CIFAR-10; fetch it again",
                               name, at / kRecord, label, kClasses - 1)};
    }
    set.labels.push_back(label);
    for (std::size_t i = 0; i < kPlane; ++i) {
      for (std::size_t c = 0; c < kChannels; ++c) {
        set.pixels[out++] = static_cast<std::uint8_t>(bytes[at + 1 + c * kPlane + i]);
      }
    }
  }
  return {};
}

Status check_cifar10(const std::filesystem::path& root) {
  std::error_code code;
  for (const Split split : {Split::train, Split::test}) {
    for (const std::string& file : files_of(split)) {
      if (std::filesystem::exists(root / file, code)) continue;
      return Error{fmt::format("'{}' lacks {}; fetch CIFAR-10's binary version, cifar-10-binary.tar.gz",
                               root.string(), file)};
    }
  }
  return {};
}

bool holds_cifar10(const std::filesystem::path& root) {
  std::error_code code;
  return std::filesystem::exists(root / "data_batch_1.bin", code);
}

Result<ImageSet> read_cifar10(const std::filesystem::path& root, Split split) {
  ASSIGN_OR_RETURN(std::vector<std::string> classes, read_classes(root));
  ImageSet set{kChannels, kSide, kSide, {}, {}, std::move(classes)};
  for (const std::string& file : files_of(split)) {
    ASSIGN_OR_RETURN(const std::string bytes, read_file(root / file));
    RETURN_IF_ERROR(append_cifar10(bytes, (root / file).string(), set));
  }
  return set;
}

}  // namespace concertina::data
