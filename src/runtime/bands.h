#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/conv_types.h"

/// Layers that run over a few rows at a time, one after the other, so that what one makes is still in the
/// caches when the next one reads it.
namespace concertina::runtime {

/// Rows begin .. end - 1 of a map.
struct Rows {
  int begin = 0;
  int end = 0;

  int count() const { return end - begin; }
  friend bool operator==(const Rows&, const Rows&) = default;
};

/// A layer as its rows see it.
struct BandLayer {
  kernels::WindowArgs window;  ///< over the whole map
  int tile_rows = 1;  ///< rows that its kernel makes at a time: runs of rows begin at multiples of it, and
                      ///< end there or with the map
};

/// Which layers should run in bands, and in how wide ones; all but weight_cost in bytes.
struct BandPolicy {
  std::int64_t large_map = 384 * 1024;     ///< from here on a map is worth keeping in the caches
  std::int64_t memory = 768 * 1024;        ///< for the rows of the maps between layers, see choose_band()
  std::int64_t most_memory = 1536 * 1024;  ///< layers whose narrowest bands need more do not run in bands
  std::int64_t weight_cost = 1;            ///< of a byte of weights that is read again, in bytes of maps
};

inline constexpr std::size_t kMaxBandLayers = 16;

/// What a window sees of its input when it makes these rows, without the padding.
Rows rows_seen(const kernels::WindowArgs& window, const Rows& made);

/// The same window over the rows seen only, making those rows only.
kernels::WindowArgs window_of_rows(const kernels::WindowArgs& window, const Rows& made);

/// How many rows of each layer's output are there at once, at most, when the last layer makes `rows` rows at
/// a time, wherever that begins. Of the last layer those `rows`.
std::vector<int> rows_at_once(std::span<const BandLayer> layers, int rows);

/// The rows that the last layer should make at a time: as many as keep the outputs of all others within
/// `floats`, and one tile at least. row_floats: of a row of each output.
int choose_band(std::span<const BandLayer> layers, std::span<const std::ptrdiff_t> row_floats,
                std::ptrdiff_t floats);

/// Makes a part of the last layer's rows band by band. No layer makes a row twice.
class BandWalk {
 public:
  /// What a layer does in a band: it forgets the rows of its output before `keep`, which nobody needs any
  /// more, and makes some after those that it has made, or none.
  struct Move {
    int keep = 0;
    Rows make;
  };

  /// Preconditions: 1 to kMaxBandLayers layers, which outlive this; `rows` and part.begin are multiples of
  /// the last layer's tile_rows.
  BandWalk(std::span<const BandLayer> layers, int rows, const Rows& part);

  /// The first row that the layer will make.
  int begin(std::size_t layer) const { return begins_[layer]; }

  bool done() const { return ends_[layers_.size() - 1] >= part_.end; }

  /// The next band: calls move(layer, Move) for each layer in order.
  template <typename Function>
  void next(const Function& move) {
    aim();
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      move(i, Move{.keep = kept_from(i), .make = {ends_[i], aims_[i]}});
      ends_[i] = aims_[i];
    }
  }

 private:
  void aim();
  int kept_from(std::size_t layer) const;

  std::span<const BandLayer> layers_;
  int rows_;
  Rows part_;
  std::array<int, kMaxBandLayers> begins_{};
  std::array<int, kMaxBandLayers> ends_{};  ///< of the rows that were made
  std::array<int, kMaxBandLayers> aims_{};  ///< of those that will be after this band
};

}  // namespace concertina::runtime
