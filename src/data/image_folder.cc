#include "data/image_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <optional>

#include "base/file.h"
#include "base/try.h"
#include "data/annotations.h"
#include "data/files.h"
#include "data/split.h"

namespace concertina::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLayout = "images belong in train/<class>/ and test/<class>/ (or val/<class>/)";

Result<std::vector<std::string>> list_classes(const fs::path& folder) {
  std::error_code code;
  if (!fs::is_directory(folder, code)) {
    return Error{fmt::format("there is no folder '{}'; {}", folder.string(), kLayout)};
  }
  ASSIGN_OR_RETURN(const auto entries, list_folder(folder));
  std::vector<std::string> classes;
  for (const auto& entry : entries) {
    if (!entry.is_directory(code)) {
      return Error{
          fmt::format("'{}' is not a folder of a class; {}, and nothing else beside the class folders",
                      entry.path().string(), kLayout)};
    }
    classes.push_back(entry.path().filename().string());
  }
  if (classes.empty()) {
    return Error{fmt::format("'{}' holds no images; {}", folder.string(), kLayout)};
  }
  return classes;
}

/// Whether the folders of root are classes that are not split.
bool is_one_folder(const fs::path& root) {
  if (is_folder(root / "train") || is_folder(test_folder(root))) return false;
  const auto entries = list_folder(root);
  if (!entries || entries->empty()) return false;
  for (const auto& entry : *entries) {
    const auto inside = list_folder(entry.path());
    if (!inside || inside->empty() || !is_image(inside->front().path())) return false;
  }
  return true;
}

fs::path annotations_of(const fs::path& folder) {
  return folder / "val_annotations.txt";
}

bool is_annotated(const fs::path& folder) {
  std::error_code code;
  return is_folder(folder / "images") && fs::exists(annotations_of(folder), code);
}

// Labels are positions in the list of train/, so another list would give silently wrong ones.
Result<std::vector<std::string>> checked_classes(const fs::path& root, const fs::path& folder) {
  ASSIGN_OR_RETURN(auto classes, list_classes(root / "train"));
  if (is_annotated(folder)) return classes;
  ASSIGN_OR_RETURN(const auto here, list_classes(folder));
  std::vector<std::string> odd;
  std::set_symmetric_difference(classes.begin(), classes.end(), here.begin(), here.end(),
                                std::back_inserter(odd));
  if (odd.empty()) return classes;
  return Error{fmt::format(
      "'{}' and '{}' must have the same classes, and only one has '{}'; add or remove that folder",
      (root / "train").string(), folder.string(), odd.front())};
}

/// The images of a class: in its folder, or in a folder "images" of that.
Result<std::vector<fs::path>> images_of_class(const fs::path& folder) {
  const fs::path inner = folder / "images";
  ASSIGN_OR_RETURN(const auto entries, list_folder(is_folder(inner) ? inner : folder));
  if (entries.empty())
    return Error{fmt::format("the class folder '{}' holds no images; fill or remove it", folder.string())};
  std::vector<fs::path> files;
  for (const auto& entry : entries) {
    if (!is_image(entry.path())) {
      return Error{
          fmt::format("'{}' is not named .jpg, .jpeg or .png; convert or remove it", entry.path().string())};
    }
    files.push_back(entry.path());
  }
  return files;
}

Result<ImageFiles> list_images(const fs::path& folder, const std::vector<std::string>& classes) {
  ImageFiles listing{.files = {}, .labels = {}, .classes = classes};
  for (std::size_t label = 0; label < classes.size(); ++label) {
    ASSIGN_OR_RETURN(const auto files, images_of_class(folder / classes[label]));
    listing.files.insert(listing.files.end(), files.begin(), files.end());
    listing.labels.resize(listing.files.size(), static_cast<std::int32_t>(label));
  }
  if (listing.files.size() <= INT_MAX) return listing;
  return Error{fmt::format("'{}' holds more images than fit into memory; use fewer", folder.string())};
}

Result<ImageFiles> list_annotated(const fs::path& folder, const std::vector<std::string>& classes) {
  ASSIGN_OR_RETURN(const std::string text, read_file(annotations_of(folder)));
  const auto annotations = parse_annotations(text, classes);
  if (!annotations) return in_file(annotations_of(folder), annotations.error());
  ImageFiles listing{.files = {}, .labels = {}, .classes = classes};
  for (std::size_t label = 0; label < classes.size(); ++label) {
    for (const std::string& name : (*annotations)[label]) listing.files.push_back(folder / "images" / name);
    listing.labels.resize(listing.files.size(), static_cast<std::int32_t>(label));
  }
  return listing;
}

std::vector<fs::path> part_of(const std::vector<fs::path>& files, Split split, std::uint64_t stream) {
  std::vector<fs::path> part;
  for (const std::int64_t i : part_of(static_cast<std::int64_t>(files.size()), split, stream))
    part.push_back(files[static_cast<std::size_t>(i)]);
  return part;
}

/// Splits a fifth of every class off.
Result<ImageFiles> list_part(const fs::path& root, Split split) {
  ASSIGN_OR_RETURN(const auto classes, list_classes(root));
  ImageFiles listing{.files = {}, .labels = {}, .classes = classes};
  for (std::size_t label = 0; label < classes.size(); ++label) {
    ASSIGN_OR_RETURN(const auto files, images_of_class(root / classes[label]));
    if (files.size() < 2) {
      return Error{
          fmt::format("the class folder '{}' holds one image, which cannot be for training and test; "
                      "add more, or remove it",
                      (root / classes[label]).string())};
    }
    const std::vector<fs::path> chosen = part_of(files, split, label);
    listing.files.insert(listing.files.end(), chosen.begin(), chosen.end());
    listing.labels.resize(listing.files.size(), static_cast<std::int32_t>(label));
  }
  return listing;
}

}  // namespace

bool holds_image_folder(const fs::path& root) {
  return is_folder(root / "train") || is_one_folder(root);
}

Status check_image_folder(const fs::path& root) {
  if (is_one_folder(root)) return {};
  const auto classes = checked_classes(root, test_folder(root));
  return classes ? Status() : classes.error();
}

Result<ImageFiles> list_image_folder(const fs::path& root, Split split) {
  if (is_one_folder(root)) return list_part(root, split);
  const fs::path folder = split == Split::train ? root / "train" : test_folder(root);
  ASSIGN_OR_RETURN(const auto classes, checked_classes(root, folder));
  return is_annotated(folder) ? list_annotated(folder, classes) : list_images(folder, classes);
}

Result<ImageFiles> list_images_below(const fs::path& root, Split split) {
  const std::optional<fs::path> split_folder = folder_of_split(root, split);
  const fs::path folder = split_folder.value_or(root);
  ASSIGN_OR_RETURN(std::vector<fs::path> files, list_images_in(folder));
  if (files.size() < (split_folder ? 1U : 2U)) {
    return Error{
        fmt::format("'{}' holds {}; put images (.jpg, .jpeg, .png) there", folder.string(),
                    files.empty() ? "no images" : "one image, which cannot be for training and test")};
  }
  if (!split_folder) files = part_of(files, split, 0);
  ImageFiles listing{.files = std::move(files), .labels = {}, .classes = {}};
  listing.labels.resize(listing.files.size(), 0);
  return listing;
}

}  // namespace concertina::data
