#pragma once

#include <bitset>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "concertina/result.h"
#include "data/image.h"

/// The class of each pixel of an image: semantic segmentation.
namespace concertina::data {

/// In a label map, a pixel whose class is not known: it is neither learned nor counted.
inline constexpr std::uint8_t kUnlabelled = 255;

/// The classes of pixels: the values of a gray PNG, or the indices of one with a palette. A PNG whose three
/// colours are equal counts as gray. Fails on other pictures, and on values above 255.
Result<Image> read_label_map(const std::filesystem::path& path);

/// Which values label maps have: [value].
using LabelValues = std::bitset<256>;
LabelValues values_of(std::span<const std::uint8_t> map);

/// Whether the maps are masks of two classes in black and white: 0 and 255, nothing else. Then 255 is the
/// class 1.
bool are_black_and_white(const LabelValues& values);

/// Gives the pixels of such masks their class.
void number_black_and_white(std::span<std::uint8_t> map);

/// The classes, named by their numbers: "0", "1" ... up to the highest value. Fails if no pixel has a class.
Result<std::vector<std::string>> classes_of(const LabelValues& values);

}  // namespace concertina::data
