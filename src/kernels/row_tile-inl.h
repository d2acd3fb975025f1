// Per-target include guard.
#if defined(CONCERTINA_KERNELS_ROW_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CONCERTINA_KERNELS_ROW_TILE_INL_H_
#undef CONCERTINA_KERNELS_ROW_TILE_INL_H_
#else
#define CONCERTINA_KERNELS_ROW_TILE_INL_H_
#endif

#include <utility>

#include "kernels/tile_table-inl.h"

// Neighbouring output pixels of one row. Each input is read once for all the taps of a kernel row that see
// it.

HWY_BEFORE_NAMESPACE();
namespace concertina::kernels::HWY_NAMESPACE {
namespace {

/// The shape of a kernel row: its taps, and how many inputs it moves on from pixel to pixel.
template <int kTaps_, int kStride_>
struct KernelRow {
  static constexpr int kTaps = kTaps_;
  static constexpr int kStride = kStride_;
};

/// Pixels of a tile whose sums, with the weights of a kernel row and one input, fit the registers.
template <class Row, int kVectors>
constexpr int kFittingRowPixels = ((k32Registers ? 31 : 15) - kVectors * Row::kTaps) / kVectors;

/// Pixels of the longest tile. Wide kernels stand at the beginning of networks, over rows of 112 or 224
/// pixels.
template <class Row, int kVectors>
constexpr int kMaxRowPixels = Row::kTaps >= 5 ? std::min(16, kFittingRowPixels<Row, kVectors>)
                                              : kFittingRowPixels<Row, kVectors>;

/// Inputs that a tile sees in a row of the map.
template <class Row, int kPixels>
constexpr int kRowInputs = (kPixels - 1) * Row::kStride + Row::kTaps;

/// The weights of one input channel under a kernel row.
template <int kTaps, int kVectors>
struct RowWeights {
  RowWeights<kTaps - 1, kVectors> before;
  V a;
  V b;

  HWY_INLINE RowWeights(const float* w, std::ptrdiff_t tap_size)
      : before(w, tap_size),
        a(hn::Load(kTag, w + (kTaps - 1) * tap_size)),
        b(kVectors == 2 ? hn::Load(kTag, w + (kTaps - 1) * tap_size + kLanes) : hn::Zero(kTag)) {}

  template <int kTap>
  HWY_INLINE const auto& get() const {
    if constexpr (kTap == kTaps - 1) {
      return *this;
    } else {
      return before.template get<kTap>();
    }
  }
};

template <int kVectors>
struct RowWeights<0, kVectors> {
  HWY_INLINE RowWeights(const float*, std::ptrdiff_t) {}
};

/// Adds the tile's input number kAt to the sums of the pixels that see it.
template <class Row, int kAt, int kPixels, int kVectors>
HWY_INLINE void add_input(Tile<kPixels, kVectors>& tile, V v, const RowWeights<Row::kTaps, kVectors>& w) {
  if constexpr (kPixels > 0) {
    add_input<Row, kAt>(tile.before, v, w);
    constexpr int kTap = kAt - (kPixels - 1) * Row::kStride;
    if constexpr (kTap >= 0 && kTap < Row::kTaps) {
      tile.a = hn::MulAdd(v, w.template get<kTap>().a, tile.a);
      if constexpr (kVectors == 2) tile.b = hn::MulAdd(v, w.template get<kTap>().b, tile.b);
    }
  }
}

/// value(i) is the tile's input number i.
template <class Row, int kPixels, int kVectors, class Value, int... kAt>
HWY_INLINE void add_inputs(Tile<kPixels, kVectors>& tile, const RowWeights<Row::kTaps, kVectors>& w,
                           Value&& value, std::integer_sequence<int, kAt...>) {
  (add_input<Row, kAt>(tile, value(kAt), w), ...);
}

template <class Row, int kPixels, int kVectors, class Value>
HWY_INLINE void add_inputs(Tile<kPixels, kVectors>& tile, const RowWeights<Row::kTaps, kVectors>& w,
                           Value&& value) {
  add_inputs<Row>(tile, w, value, std::make_integer_sequence<int, kRowInputs<Row, kPixels>>());
}

/// Where a tile lies, and the rows of the map that it sees.
struct RowPlace {
  std::ptrdiff_t image = 0;
  int top = 0;    // the window's first row in the image, perhaps above it
  int left = 0;   // the first pixel's leftmost input, perhaps left of the image
  int begin = 0;  // the rows of the kernel that lie in the image
  int end = 0;

  HWY_INLINE RowPlace(const WindowArgs& w, int out_row, int x)
      : image(out_row / w.out_h),
        top(out_row % w.out_h * w.stride_h - w.pad_top),
        left(x * w.stride_w - w.pad_left),
        begin(std::max(0, -top)),
        end(std::min(w.kernel_h, w.in_h - top)) {}

  /// The tile's leftmost pixel in the input under row i of the kernel, perhaps outside of the map.
  HWY_INLINE const float* row(const WindowArgs& w, const float* input, std::ptrdiff_t stride, int i) const {
    return input + ((image * w.in_h + top + i) * w.in_w + left) * stride;
  }
  /// The same in the first plane of a plain input.
  HWY_INLINE const float* plane_row(const WindowArgs& w, const float* input, std::ptrdiff_t image_stride,
                                    int i) const {
    return input + image * image_stride + std::ptrdiff_t{top + i} * w.in_w + left;
  }

  HWY_INLINE bool inside(const WindowArgs& w, int inputs) const {
    return left >= 0 && left + inputs <= w.in_w;
  }

  /// The addresses of `count` inputs from `first` on; of zeros where they lie in the padding.
  HWY_INLINE void point(const WindowArgs& w, const float* first, std::ptrdiff_t stride, int count,
                        const float** to) const {
    if (inside(w, count)) {
      for (int i = 0; i < count; ++i) to[i] = first + i * stride;
      return;
    }
    for (int i = 0; i < count; ++i) {
      const bool hit = static_cast<unsigned>(left + i) < static_cast<unsigned>(w.in_w);
      to[i] = hit ? first + i * stride : kZeros;
    }
  }

  /// `count` inputs of a plane from `first` on, with the padding.
  HWY_NOINLINE void copy_padded(const WindowArgs& w, const float* first, int count, float* to) const {
    for (int i = 0; i < count; ++i) {
      to[i] = static_cast<unsigned>(left + i) < static_cast<unsigned>(w.in_w) ? first[i] : 0.0f;
    }
  }
};

/// The inputs of a row of the map that a tile sees, if at most the first and the last lie in the padding:
/// where these two, or zeros, lie, and where the first would.
struct EdgeRow {
  const float* first;
  const float* last;
  const float* row;
};

HWY_INLINE bool has_edges_only(const WindowArgs& w, const RowPlace& place, int inputs) {
  return place.left >= -1 && place.left + inputs <= w.in_w + 1;
}

HWY_INLINE EdgeRow edge_row(const WindowArgs& w, const RowPlace& place, const float* row,
                            std::ptrdiff_t stride, int inputs) {
  const float* last = row + (inputs - 1) * stride;
  return {place.left < 0 ? kZeros : row, place.left + inputs > w.in_w ? kZeros : last, row};
}

/// Cuts pixels first .. last - 1, counted over the batch, into tiles that do not run over the end of a row:
/// call(function, row, x, pixels).
template <class Function, class Call>
HWY_INLINE void cover_rows(const TileTable<Function>& tiles, int width, int first, int last,
                           const Call& call) {
  while (first < last) {
    const int row = first / width;
    int x = first - row * width;
    const int end = std::min(x + (last - first), width);
    first += end - x;
    while (x < end) {
      const int pixels = tiles.length(end - x);
      call(tiles.functions[pixels], row, x, pixels);
      x += pixels;
    }
  }
}

}  // namespace
}  // namespace concertina::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
