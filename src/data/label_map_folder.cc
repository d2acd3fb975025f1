#include "data/label_map_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include "base/file.h"
#include "base/try.h"
#include "data/files.h"
#include "data/split.h"

namespace concertina::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kImageFolders[] = {"images"};
constexpr const char* kMapFolders[] = {"masks", "labels", "annotations", "label_maps"};
constexpr const char* kTrainFolders[] = {"train", "training"};
constexpr const char* kMapLayout =
    "images belong in train/images/ and their label maps in train/masks/, those for the test in test/images/ "
    "and test/masks/";

/// Where the images and maps of a split lie.
struct Folders {
  fs::path images, maps;
  bool split = true;                                ///< else they are those of both splits
  bool partly = false;                              ///< only some of the images have a map
  std::optional<std::vector<fs::path>> names = {};  ///< of the split, without endings
};

/// The first of the names that is a folder in `parent`.
template <std::size_t n>
std::optional<fs::path> folder_in(const fs::path& parent, const char* const (&names)[n]) {
  for (const char* name : names) {
    if (is_folder(parent / name)) return parent / name;
  }
  return std::nullopt;
}

std::optional<fs::path> part_in(const fs::path& parent, Split split) {
  if (split == Split::train) return folder_in(parent, kTrainFolders);
  const fs::path folder = test_folder(parent);
  return is_folder(folder) ? std::optional(folder) : std::nullopt;
}

std::optional<Folders> beside_each_other(const fs::path& parent) {
  const auto images = folder_in(parent, kImageFolders), maps = folder_in(parent, kMapFolders);
  if (!images || !maps) return std::nullopt;
  return Folders{.images = *images, .maps = *maps};
}

Result<std::optional<std::vector<fs::path>>> names_of_voc(const fs::path& root, Split split) {
  const fs::path folder = root / "ImageSets" / "Segmentation";
  std::error_code code;
  const fs::path train = folder / "train.txt", val = folder / "val.txt";
  if (fs::exists(train, code) != fs::exists(val, code)) {
    return Error{
        fmt::format("'{}' holds only one of the lists train.txt and val.txt; add the other, or remove it",
                    folder.string())};
  }
  if (!fs::exists(train, code)) return std::optional<std::vector<fs::path>>();
  ASSIGN_OR_RETURN(const std::string text, read_file(split == Split::train ? train : val));
  std::vector<fs::path> names;
  std::istringstream words(text);
  for (std::string name; words >> name;) names.push_back(name);
  return std::optional(std::move(names));
}

Error no_maps(const fs::path& root) {
  return Error{fmt::format("'{}' holds no images with label maps; {}", root.string(), kMapLayout)};
}

Result<Folders> find_folders(const fs::path& root, Split split) {
  if (is_folder(root / "JPEGImages") && is_folder(root / "SegmentationClass")) {
    Folders voc{.images = root / "JPEGImages", .maps = root / "SegmentationClass", .partly = true};
    ASSIGN_OR_RETURN(voc.names, names_of_voc(root, split));
    voc.split = voc.names.has_value();
    return voc;
  }
  if (const auto train = folder_in(root, kTrainFolders)) {
    const auto part = part_in(root, split);
    const auto folders = beside_each_other(part.value_or(test_folder(root)));
    if (folders) return *folders;
    return Error{fmt::format("'{}' holds no images with label maps; {}",
                             part.value_or(test_folder(root)).string(), kMapLayout)};
  }
  const auto all = beside_each_other(root);
  if (!all) return no_maps(root);
  const bool divided = folder_in(all->images, kTrainFolders) && folder_in(all->maps, kTrainFolders);
  if (!divided) return Folders{.images = all->images, .maps = all->maps, .split = false};
  const auto images = part_in(all->images, split), maps = part_in(all->maps, split);
  if (images && maps) return Folders{.images = *images, .maps = *maps};
  return Error{
      fmt::format("'{}' has a folder of training images, but none for the test beside it and in '{}'; "
                  "add test/, or val/",
                  all->images.string(), all->maps.string())};
}

/// Paths below a folder, without their endings.
using ByName = std::map<fs::path, fs::path>;

Result<ByName> by_name(const fs::path& folder, bool maps) {
  constexpr std::string_view kMask = "_mask";
  ASSIGN_OR_RETURN(const std::vector<fs::path> files, list_images_in(folder));
  ByName found;
  for (const fs::path& file : files) {
    std::string name = file.stem().string();
    if (maps && name.ends_with(kMask)) name.resize(name.size() - kMask.size());
    const auto [before, added] = found.emplace(file.lexically_relative(folder).parent_path() / name, file);
    if (added) continue;
    return Error{fmt::format("'{}' and '{}' have one name; rename or remove one", before->second.string(),
                             file.string())};
  }
  return found;
}

Result<ImageFiles> pair_up(const Folders& folders) {
  ASSIGN_OR_RETURN(ByName images, by_name(folders.images, false));
  ASSIGN_OR_RETURN(ByName maps, by_name(folders.maps, true));
  if (folders.names) {
    ByName chosen;
    for (const fs::path& name : *folders.names) {
      const auto map = maps.find(name);
      if (map == maps.end())
        return Error{
            fmt::format("'{}' has no label map '{}.png', which the list of the split names; "
                        "add it, or remove the line",
                        folders.maps.string(), name.string())};
      chosen.insert(*map);
    }
    maps = std::move(chosen);
  }
  std::vector<fs::path> unpaired;
  for (const auto& [name, file] : images) {
    if (!folders.partly && !maps.contains(name)) unpaired.push_back(name);
  }
  if (!unpaired.empty()) {
    const fs::path& name = unpaired.front();
    return Error{
        fmt::format("{} of the images have no label map; '{}' needs '{}.png'; add them, or remove the images",
                    unpaired.size(), images.at(name).string(), (folders.maps / name).string())};
  }
  ImageFiles paired{.files = {}, .labels = {}, .classes = {}};
  for (const auto& [name, file] : maps) {
    const auto image = images.find(name);
    if (image == images.end())
      return Error{fmt::format("the label map '{}' has no image in '{}'; add it, or remove the map",
                               file.string(), folders.images.string())};
    paired.files.push_back(image->second);
    paired.maps.push_back(file);
  }
  return paired;
}

ImageFiles part_of(const ImageFiles& all, Split split) {
  ImageFiles part{.files = {}, .labels = {}, .classes = {}};
  for (const std::int64_t i : data::part_of(static_cast<std::int64_t>(all.files.size()), split, 0)) {
    part.files.push_back(all.files[static_cast<std::size_t>(i)]);
    part.maps.push_back(all.maps[static_cast<std::size_t>(i)]);
  }
  return part;
}

}  // namespace

Result<ImageFiles> list_label_maps(const fs::path& root, Split split) {
  ASSIGN_OR_RETURN(const Folders folders, find_folders(root, split));
  ASSIGN_OR_RETURN(ImageFiles files, pair_up(folders));
  if (files.files.size() < (folders.split ? 1U : 2U)) {
    return Error{fmt::format(
        "'{}' holds {}; {}", folders.images.string(),
        files.files.empty() ? "no images" : "one image, which cannot be for training and test", kMapLayout)};
  }
  if (!folders.split) files = part_of(files, split);
  files.labels.resize(files.files.size(), 0);
  return files;
}

bool holds_label_maps(const fs::path& root) {
  return find_folders(root, Split::train).ok();
}

}  // namespace concertina::data
