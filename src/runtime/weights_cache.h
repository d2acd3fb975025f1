#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/kept_file.h"
#include "concertina/model.h"
#include "runtime/packed_weights.h"

/// Packed weights in a folder, so that a model's next load need not pack them.
///
/// A file has the packed weights, the model without them (onnx::strip_model()), a line that says what all of
/// it was made of, and the checksum of everything. A file that is not whole, or was made of something else,
/// is as if it were not there.
namespace concertina::runtime {

/// Tells models apart by each of their bytes: what a cache knows one by.
std::string identity_of(std::string_view model);
/// Of a file, without keeping it in memory. None if it cannot be read, or only once, as a pipe.
std::optional<std::string> identity_of_file(const std::filesystem::path& model);

/// What a file of the cache holds.
struct CachedWeights {
  KeptFile file;  ///< begins with the packed weights
  std::size_t packed_bytes;
  std::string_view stripped;
  std::string_view layout;  ///< PackedWeights::layout() of what was packed
};

/// The place of a model's packed weights in the folder that the options name.
class WeightsCache {
 public:
  WeightsCache(const std::string& identity, const ModelOptions& options);

  /// None if there are none, or if anything is wrong with them.
  std::optional<CachedWeights> find() const;

  /// Keeps them, where that can be.
  void keep(const PackedWeights& packed, std::string_view stripped) const;

 private:
  std::string
      key_;  ///< one line: all that the packed weights depend on and that is known before the graph is
  std::filesystem::path path_;
};

}  // namespace concertina::runtime
