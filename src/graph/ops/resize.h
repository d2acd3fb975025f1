#pragma once

#include "graph/ops/elementwise.h"

namespace concertina::op {

/// Another number of rows and columns, by the nearest pixel or between the nearest two of each direction.
/// The rules are those of ONNX's Resize.
struct Resize : Elementwise {
  static constexpr std::string_view kType = "Resize";

  enum class Mode { nearest, linear };
  /// Which place x of the input an output's place i shows, for s times as many pixels.
  enum class Coordinates {
    half_pixel,          ///< (i + 1/2) / s - 1/2
    pytorch_half_pixel,  ///< the same; 0 if the output is a single pixel
    asymmetric,          ///< i / s
    align_corners,       ///< i * (in - 1) / (out - 1); 0 if the output is a single pixel
  };
  enum class Rounding { prefer_floor, prefer_ceil, floor, ceil };

  int height = 1, width = 1;       ///< of the output
  float scale_h = 1, scale_w = 1;  ///< s; not always just out / in
  Mode mode = Mode::nearest;
  Coordinates coordinates = Coordinates::asymmetric;
  Rounding rounding = Rounding::floor;  ///< of `nearest`

  Result<Shape> output_shape(std::span<const Shape> inputs) const;

  /// `scale` if it makes `out` pixels of `in` as ONNX counts them, floor(in * scale) in 32-bit floats;
  /// otherwise the one nearest to out / in that does.
  static float exact_scale(float scale, int in, int out);

  /// An output row (or column) is (1 - share) * input[first] + share * input[second].
  struct Tap {
    int first = 0;
    int second = 0;
    float share = 0;
  };
  std::vector<Tap> rows(int input_height) const;
  std::vector<Tap> columns(int input_width) const;

  friend bool operator==(const Resize&, const Resize&) = default;

 private:
  std::vector<Tap> taps(int in, int out, float scale) const;
};

/// Rows and columns around a map; with Mode::constant, numbers below 0 cut them off.
struct Pad : Elementwise {
  static constexpr std::string_view kType = "Pad";

  enum class Mode {
    constant,  ///< of one value
    edge,      ///< the nearest pixel's
    reflect,   ///< mirrored at the outermost pixel, which is not repeated
  };

  int top = 0, left = 0, bottom = 0, right = 0;
  Mode mode = Mode::constant;
  float value = 0;

  Result<Shape> output_shape(std::span<const Shape> inputs) const;

  /// The pixel of a line of `size` that position `i` of the padded line shows (`before`: top or left); -1:
  /// the constant.
  int source(int i, int before, int size) const;

  friend bool operator==(const Pad&, const Pad&) = default;
};

}  // namespace concertina::op
