#include "onnx/view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>

namespace concertina::onnx {
namespace {

constexpr int kAxes = 3;

template <typename Dimension>
int size_of(const Dimension& pieces) {
  int size = 1;
  for (const auto& piece : pieces) size *= piece.size;
  return size;
}

}  // namespace

View View::map(const Shape& shape) {
  View view(shape);
  for (int axis = 0; axis < kAxes; ++axis) {
    Dimension& pieces = view.dimensions_.emplace_back();
    if (view.axis_size(axis) > 1) pieces.push_back({axis, view.axis_size(axis), 1});
  }
  return view;
}

View View::vector(const Shape& shape) {
  View view = map(shape);
  view.dimensions_.resize(1);
  return view;
}

std::vector<int> View::sizes() const {
  std::vector<int> sizes;
  for (const Dimension& pieces : dimensions_) sizes.push_back(size_of(pieces));
  return sizes;
}

Result<View> View::reshaped(std::span<const int> sizes) const {
  std::vector<Piece> rest;
  for (const Dimension& pieces : dimensions_) rest.insert(rest.end(), pieces.begin(), pieces.end());
  std::reverse(rest.begin(), rest.end());
  View view(shape_);
  for (const int size : sizes) {
    Dimension& pieces = view.dimensions_.emplace_back();
    int left = size;
    while (left > 1 && !rest.empty()) {
      Piece& next = rest.back();
      if (left % next.size == 0) {
        left /= next.size;
        pieces.push_back(next);
        rest.pop_back();
      } else if (next.size % left == 0) {
        const int inner = next.size / left;
        pieces.push_back({next.axis, left, next.stride * inner});
        next.size = inner;
        left = 1;
      } else {
        break;
      }
    }
    if (left != 1) break;
  }
  const bool same = view.dimensions_.size() == sizes.size() && rest.empty() &&
                    std::equal(sizes.begin(), sizes.end(), view.sizes().begin());
  if (same) return view;
  return Error{fmt::format("it makes {} of {}, which cuts across channels, rows or columns",
                           fmt::join(sizes, "x"), fmt::join(this->sizes(), "x"))};
}

View View::transposed(std::span<const int> order) const {
  View view(shape_);
  for (const int i : order) view.dimensions_.push_back(dimensions_[i]);
  return view;
}

std::optional<View::Axes> View::whole_axes(std::span<const int> dimensions) const {
  int held[kAxes] = {1, 1, 1};
  for (const int i : dimensions) {
    for (const Piece& piece : dimensions_[i]) held[piece.axis] *= piece.size;
  }
  for (int axis = 0; axis < kAxes; ++axis) {
    if (held[axis] != 1 && held[axis] != axis_size(axis)) return std::nullopt;
  }
  const auto whole = [&](int axis) { return held[axis] == axis_size(axis); };
  return Axes{whole(0), whole(1), whole(2)};
}

View View::reduced(std::span<const int> dimensions, bool keep_as_one) const {
  const Axes gone = whole_axes(dimensions).value_or(Axes{});
  View view(
      {gone.channels ? 1 : shape_.channels, gone.rows ? 1 : shape_.height, gone.columns ? 1 : shape_.width});
  for (int i = 0; i < static_cast<int>(dimensions_.size()); ++i) {
    const bool drop = std::find(dimensions.begin(), dimensions.end(), i) != dimensions.end();
    if (!drop) view.dimensions_.push_back(dimensions_[i]);
    if (drop && keep_as_one) view.dimensions_.emplace_back();
  }
  return view;
}

bool View::repeats_to(const View& larger) const {
  for (int axis = 0; axis < kAxes; ++axis) {
    if (axis_size(axis) != 1 && axis_size(axis) != larger.axis_size(axis)) return false;
  }
  return dimensions_.size() == larger.dimensions_.size() &&
         std::equal(dimensions_.begin(), dimensions_.end(), larger.dimensions_.begin(),
                    [](const Dimension& a, const Dimension& b) { return a.empty() || a == b; });
}

std::optional<int> View::channel_dimension() const {
  for (std::size_t d = 0; d < dimensions_.size(); ++d) {
    std::size_t at = 0;
    if (walks(dimensions_[d], 0, at) && at == dimensions_[d].size()) return static_cast<int>(d);
  }
  return std::nullopt;
}

std::optional<int> View::leading_groups() const {
  if (dimensions_.size() < 2 || dimensions_[0].size() > 1) return std::nullopt;
  if (dimensions_[0].empty()) return 1;
  const Piece& groups = dimensions_[0][0];
  if (groups.axis != 0 || groups.size * groups.stride != shape_.channels) return std::nullopt;
  return groups.size;
}

bool View::is_map() const {
  if (dimensions_.size() != kAxes) return false;
  for (int axis = 0; axis < kAxes; ++axis) {
    const Dimension& pieces = dimensions_[axis];
    std::size_t at = 0;
    if (!walks(pieces, axis, at) || at != pieces.size()) return false;
  }
  return true;
}

bool View::is_flat() const {
  if (dimensions_.size() != 1) return false;
  std::size_t at = 0;
  for (int axis = 0; axis < kAxes; ++axis) {
    if (!walks(dimensions_[0], axis, at)) return false;
  }
  return at == dimensions_[0].size();
}

std::optional<int> View::shuffled_groups() const {
  if (dimensions_.size() != kAxes || dimensions_[0].size() != 2) return std::nullopt;
  const Piece &inner = dimensions_[0][0], &outer = dimensions_[0][1];
  const bool turned = inner.axis == 0 && outer.axis == 0 && inner.stride == 1 && outer.stride == inner.size &&
                      inner.size * outer.size == shape_.channels;
  View straight = *this;
  straight.dimensions_[0] = {outer, inner};
  if (!turned || !straight.is_map()) return std::nullopt;
  return outer.size;
}

std::optional<std::vector<int>> View::flat_order() const {
  if (dimensions_.size() != 1 || size_of(dimensions_[0]) != shape_.elements()) return std::nullopt;
  const int strides[kAxes] = {shape_.height * shape_.width, shape_.width, 1};
  std::vector<int> order = {0};
  for (const Piece& piece : dimensions_[0]) {
    std::vector<int> longer;
    for (const int begin : order) {
      for (int i = 0; i < piece.size; ++i) longer.push_back(begin + i * piece.stride * strides[piece.axis]);
    }
    order = std::move(longer);
  }
  return order;
}

int View::axis_size(int axis) const {
  return axis == 0 ? shape_.channels : axis == 1 ? shape_.height : shape_.width;
}

bool View::walks(const Dimension& pieces, int axis, std::size_t& at) const {
  int left = axis_size(axis);
  for (; at < pieces.size() && left > 1; ++at) {
    const Piece& piece = pieces[at];
    if (piece.axis != axis || piece.size * piece.stride != left) return false;
    left = piece.stride;
  }
  return left == 1;
}

}  // namespace concertina::onnx
