#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "concertina/result.h"
#include "data/image_set.h"

namespace concertina::data {

/// An array of NumPy, its last dimension fastest.
struct NpyArray {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// Reads an .npy file of versions 1 to 3: whole numbers, truth values and floats of 32 and 64 bits,
/// little-endian and in C order, become 32-bit floats. Any bytes may be given.
Result<NpyArray> parse_npy(std::string_view bytes);

/// What a network takes, for many samples: [n][c] or [n][c][h][w].
struct InputArray {
  std::string name;  ///< the file's, without its ending: that of the network's input
  NpyArray array;
};

/// Reads <root>/train/*.npy or <root>/test/*.npy (or val/ ...): a file for each input, all of equally many
/// samples, sorted by name. Without train/ the files of root, of whose samples a fifth, at least one, are the
/// test samples.
Result<std::vector<InputArray>> read_arrays(const std::filesystem::path& root, Split split);

/// Whether root, or its train/, has such a file.
bool holds_arrays(const std::filesystem::path& root);

}  // namespace concertina::data
