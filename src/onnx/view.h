#pragma once

#include <optional>
#include <span>
#include <vector>

#include "concertina/result.h"
#include "graph/shape.h"

namespace concertina::onnx {

/// How an ONNX value lies over the C x H x W of one image: its dimensions behind the batch, each made of
/// pieces of the three axes. Reshape, Transpose, Squeeze and their like only change this; whether the result
/// is again something that a Graph knows is seen at the end.
class View {
 public:
  /// A map N x C x H x W, or a vector N x C. Precondition for the latter: height and width are 1.
  static View map(const Shape& shape);
  static View vector(const Shape& shape);

  std::vector<int> sizes() const;

  /// The same values in the same order with other sizes. Fails if it would cut across an axis unevenly.
  Result<View> reshaped(std::span<const int> sizes) const;

  /// order[i]: which dimension (of those behind the batch, from 0) becomes the i-th. Precondition: it is a
  /// permutation of them.
  View transposed(std::span<const int> order) const;

  /// Whether the dimensions hold all channels, all rows, all columns, and nothing in part: of these axes, an
  /// axis of one value counts as held. None if they hold part of an axis.
  struct Axes {
    bool channels = false, rows = false, columns = false;
  };
  std::optional<Axes> whole_axes(std::span<const int> dimensions) const;

  /// What is left when the axes that these dimensions hold have one value each. Precondition:
  /// whole_axes(dimensions).
  View reduced(std::span<const int> dimensions, bool keep_as_one) const;

  /// Whether it is the same layout of fewer values, so that one of them stands for a whole axis.
  bool repeats_to(const View& larger) const;

  /// The dimension that holds all channels in order and nothing else, if there is one.
  std::optional<int> channel_dimension() const;

  /// For N x (G equal runs of the channels) x (all the rest, in any order): G.
  std::optional<int> leading_groups() const;

  /// N x C x H x W; N x C of a map of one pixel.
  bool is_map() const;
  bool is_vector() const { return is_flat() && shape_.height == 1 && shape_.width == 1; }
  /// N x (C H W), channels outermost.
  bool is_flat() const;
  /// N x C x H x W with the channels of `groups` equal parts taken in turn; the number of parts.
  std::optional<int> shuffled_groups() const;
  /// For N x (some order of C, H, W) of all values: where each of its features lies in N x (C H W).
  std::optional<std::vector<int>> flat_order() const;

  friend bool operator==(const View&, const View&) = default;

 private:
  /// `size` steps of `stride` along an axis; of size 1 there is none.
  struct Piece {
    int axis = 0;  // 0, 1, 2: channel, row, column
    int size = 1;
    int stride = 1;

    friend bool operator==(const Piece&, const Piece&) = default;
  };
  using Dimension = std::vector<Piece>;

  explicit View(const Shape& shape) : shape_(shape) {}
  int axis_size(int axis) const;
  /// Whether the pieces from `at` on walk through the axis in order; moves `at` behind them.
  bool walks(const Dimension& pieces, int axis, std::size_t& at) const;

  Shape shape_;
  std::vector<Dimension> dimensions_;
};

}  // namespace concertina::onnx
