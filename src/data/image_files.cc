#include "data/image_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <mutex>

#include "base/try.h"
#include "data/crop.h"

namespace concertina::data {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxImageSize = 4096;

struct Extent {
  int height;
  int width;
};

Result<Extent> output_size(const fs::path& first, int image_size) {
  if (image_size > 0) return Extent{image_size, image_size};
  ASSIGN_OR_RETURN(const Image image, read_image(first));
  return Extent{image.height, image.width};
}

/// Files that cannot be used, by their place in the list, whatever order they come in.
class Failures {
 public:
  void report(int i, const Error& error) {
    const std::lock_guard lock(mutex_);
    messages_.emplace(i, error.message);
  }

  /// One message of all, if there are any.
  Status status(std::size_t files) const {
    constexpr std::size_t kNamed = 20;
    if (messages_.empty()) return {};
    if (messages_.size() == 1) return Error{messages_.begin()->second};
    std::string text = fmt::format("{} of {} images cannot be used:", messages_.size(), files);
    std::size_t named = 0;
    for (const auto& [_, message] : messages_) {
      if (named++ < kNamed) text += "\n  " + message;
    }
    if (messages_.size() > kNamed) text += fmt::format("\n  and {} more", messages_.size() - kNamed);
    return Error{std::move(text)};
  }

 private:
  std::mutex mutex_;
  std::map<int, std::string> messages_;
};

/// The first bytes and the last.
struct Ends {
  std::string head, tail;
};

Ends ends_of(const fs::path& file) {
  constexpr std::streamoff kHead = 8, kTail = 64;
  Ends ends;
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  const std::streamoff size = stream.tellg();
  const auto read = [&](std::streamoff from, std::string& bytes) {
    bytes.resize(static_cast<std::size_t>(size - from));
    stream.seekg(from).read(bytes.data(), size - from);
  };
  if (size < kHead) return ends;
  read(size - std::min(size, kTail), ends.tail);
  ends.head.resize(kHead);
  stream.seekg(0).read(ends.head.data(), kHead);
  return stream ? ends : Ends{};
}

/// Whether the file begins and ends like an image. One that does not may be sound: some have notes at the
/// end.
bool looks_whole(const fs::path& file) {
  const auto [head, tail] = ends_of(file);
  if (head.starts_with("\xff\xd8\xff")) return tail.ends_with("\xff\xd9");
  return head == "\x89PNG\r\n\x1a\n" && tail.find("IEND") != std::string::npos;
}

Status check_image(const fs::path& file) {
  if (looks_whole(file)) return {};
  const auto image = read_image(file);
  return image ? Status() : image.error();
}

/// Reads image i of a listing into its place in the set.
Status read_one(const ImageFiles& listing, std::size_t i, const Fit& fit, ImageSet& set) {
  const fs::path& file = listing.files[i];
  ASSIGN_OR_RETURN(Image image, read_with_channels(file, fit.channels));
  Image map;
  if (!listing.maps.empty()) {
    ASSIGN_OR_RETURN(map, read_map_of(image, listing.maps[i]));
  }
  if (fit.image_size > 0) {
    image = fit_centre(std::move(image), fit.resize, fit.image_size);
    if (!listing.maps.empty()) map = fit_centre_nearest(map, fit.resize, fit.image_size);
  }
  if (image.height != set.height || image.width != set.width) {
    return Error{
        fmt::format("'{}' has {} x {} pixels and the first image {} x {}; set image_size to fit them to one",
                    file.string(), image.height, image.width, set.height, set.width)};
  }
  std::copy(image.pixels.begin(), image.pixels.end(), set.pixels.data() + i * set.image_bytes());
  if (!set.maps.empty())
    std::copy(map.pixels.begin(), map.pixels.end(), set.maps.data() + i * set.map_bytes());
  return {};
}

}  // namespace

Result<Image> read_with_channels(const fs::path& file, int channels) {
  ASSIGN_OR_RETURN(Image image, read_image(file));
  return channels == 1 ? to_gray(std::move(image)) : to_rgb(std::move(image));
}

Result<Image> read_map_of(const Image& image, const fs::path& map) {
  ASSIGN_OR_RETURN(Image values, read_label_map(map));
  if (values.height == image.height && values.width == image.width) return values;
  return Error{fmt::format("the label map '{}' has {} x {} pixels and its image {} x {}; make them equal",
                           map.string(), values.height, values.width, image.height, image.width)};
}

Result<ImageSet> read_images(ImageFiles listing, const Fit& fit, ThreadPool& pool,
                             std::optional<bool> black_and_white) {
  if (fit.image_size < 0 || fit.image_size > kMaxImageSize) {
    return Error{fmt::format("image_size is {}; set it to 1 to {} pixels, or 0 to keep images as they are",
                             fit.image_size, kMaxImageSize)};
  }
  ASSIGN_OR_RETURN(const Extent size, output_size(listing.files.front(), fit.image_size));

  ImageSet set{.channels = fit.channels,
               .height = size.height,
               .width = size.width,
               .pixels = {},
               .labels = {},
               .classes = {}};
  set.pixels.resize(listing.files.size() * set.image_bytes());
  if (!listing.maps.empty()) set.maps.resize(listing.files.size() * set.map_bytes());
  Failures failures;
  pool.parallel_for(static_cast<int>(listing.files.size()), [&](int i) {
    const Status status = read_one(listing, static_cast<std::size_t>(i), fit, set);
    if (!status) failures.report(i, status.error());
  });
  RETURN_IF_ERROR(failures.status(listing.files.size()));
  set.labels = std::move(listing.labels);
  set.classes = std::move(listing.classes);
  if (set.maps.empty()) return set;
  LabelValues values = values_of(set.maps);
  set.black_and_white = black_and_white.value_or(are_black_and_white(values));
  if (set.black_and_white) {
    number_black_and_white(set.maps);
    values = values_of(set.maps);
  }
  ASSIGN_OR_RETURN(set.classes, classes_of(values));
  return set;
}

Result<LabelValues> check_images(const ImageFiles& listing, ThreadPool& pool) {
  Failures failures;
  std::mutex mutex;
  LabelValues all;
  pool.parallel_for(static_cast<int>(listing.files.size()), [&](int i) {
    const auto at = static_cast<std::size_t>(i);
    if (const Status status = check_image(listing.files[at]); !status) failures.report(i, status.error());
    if (listing.maps.empty()) return;
    const auto map = read_label_map(listing.maps[at]);
    if (!map) return failures.report(i, map.error());
    const LabelValues values = values_of(map->pixels);
    const std::lock_guard lock(mutex);
    all |= values;
  });
  RETURN_IF_ERROR(failures.status(listing.files.size()));
  return all;
}

}  // namespace concertina::data
