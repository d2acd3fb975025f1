#include "runtime/bands.h"

#include <numeric>

namespace concertina::runtime {
namespace {

int round_down(int value, int multiple) {
  return value / multiple * multiple;
}

}  // namespace

Rows rows_seen(const kernels::WindowArgs& w, const Rows& made) {
  const int first = made.begin * w.stride_h - w.pad_top;
  const int last = (made.end - 1) * w.stride_h - w.pad_top + (w.kernel_h - 1) * w.dilation_h;
  const int begin = std::clamp(first, 0, w.in_h);
  return {begin, std::clamp(last + 1, begin, w.in_h)};
}

kernels::WindowArgs window_of_rows(const kernels::WindowArgs& w, const Rows& made) {
  const Rows seen = rows_seen(w, made);
  kernels::WindowArgs part = w;
  part.in_h = seen.count();
  part.out_h = made.count();
  part.pad_top = seen.begin - (made.begin * w.stride_h - w.pad_top);
  return part;
}

std::vector<int> rows_at_once(std::span<const BandLayer> layers, int rows) {
  std::vector<int> most(layers.size(), rows);
  for (std::size_t i = layers.size() - 1; i-- > 0;) {
    const kernels::WindowArgs& next = layers[i + 1].window;
    // Rows that a stride leaves out are made too.
    const int tall = std::max((next.kernel_h - 1) * next.dilation_h + 1, next.stride_h);
    const int seen = (most[i + 1] - 1) * next.stride_h + tall;
    most[i] = std::min(layers[i].window.out_h, seen + 2 * (layers[i].tile_rows - 1));
  }
  return most;
}

int choose_band(std::span<const BandLayer> layers, std::span<const std::ptrdiff_t> row_floats,
                std::ptrdiff_t floats) {
  const BandLayer& last = layers.back();
  int rows = last.tile_rows;
  while (rows < last.window.out_h) {
    const std::vector<int> most = rows_at_once(layers, rows + last.tile_rows);
    if (std::inner_product(most.begin(), most.end() - 1, row_floats.begin(), std::ptrdiff_t{0}) > floats)
      break;
    rows += last.tile_rows;
  }
  return rows;
}

BandWalk::BandWalk(std::span<const BandLayer> layers, int rows, const Rows& part)
    : layers_(layers), rows_(rows), part_(part) {
  int begin = part.begin;
  for (std::size_t i = layers.size(); i-- > 0;) {
    begins_[i] = ends_[i] = round_down(begin, layers[i].tile_rows);
    begin = rows_seen(layers[i].window, {begins_[i], begins_[i] + 1}).begin;
  }
}

void BandWalk::aim() {
  const std::size_t last = layers_.size() - 1;
  aims_[last] = std::min(part_.end, ends_[last] + rows_);
  for (std::size_t i = last; i-- > 0;) {
    const Rows next{ends_[i + 1], aims_[i + 1]};
    const auto& [window, tile_rows] = layers_[i];
    const int needed = next.count() > 0 ? rows_seen(layers_[i + 1].window, next).end : 0;
    aims_[i] = std::max(ends_[i], std::min(window.out_h, kernels::round_up(needed, tile_rows)));
  }
}

int BandWalk::kept_from(std::size_t layer) const {
  if (layer + 1 == layers_.size()) return ends_[layer];
  const int next = ends_[layer + 1];
  return std::min(rows_seen(layers_[layer + 1].window, {next, next + 1}).begin, ends_[layer]);
}

}  // namespace concertina::runtime
