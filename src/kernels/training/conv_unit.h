#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

/// What the convolutions of a trainer need of an instruction set: two kinds of sums of products. Elements are
/// floats, or with bf16 pairs of them in 32 bits, of which each product takes both.
namespace concertina::kernels {

inline constexpr int kTrainingPanel = 16;              ///< outputs whose weights lie side by side
inline constexpr int kPanelPair = 2 * kTrainingPanel;  ///< outputs that are summed together

/// A block of pixels times one or two panels of weights. A pixel's inputs lie in runs. With three taps, a run
/// is what the pixel and the next two have there, so that neighbours share inputs.
struct PanelProducts {
  std::span<const std::ptrdiff_t> runs;  ///< inputs from a pixel's first one to each run
  int taps = 1;                          ///< 1 or, if the unit slides, 3
  int depth = 0;                         ///< elements of a run, or of a tap
  std::ptrdiff_t pixel = 0;              ///< inputs from pixel to pixel: floats, or 16 bits
  const void* weights = nullptr;         ///< elements [runs][depth][taps][kTrainingPanel]
  const void* weights2 = nullptr;        ///< of the next panel, or null
  int last_outputs = kTrainingPanel;     ///< outputs of the last panel that are wanted
};

/// sums[k][e] += dy[k] * x[e], added up over pixels, or pairs of them. Strides are in elements.
struct OuterProducts {
  int images = 1, rows = 1, columns = 1;  ///< what is added up
  const void* x = nullptr;
  std::ptrdiff_t x_image = 0, x_row = 0, x_column = 0;
  const void* dy = nullptr;
  std::ptrdiff_t dy_image = 0, dy_row = 0, dy_column = 0, dy_channel = 0;
  int channels = 0;  ///< k
  int inputs = 0;    ///< e; up to 15 more are read and written
  float* sums = nullptr;
  std::ptrdiff_t sums_row = 0;  ///< from k to k, at least `inputs` rounded up to 16
};

/// Depthwise: sums[r][c] += dy[c] * x[runs[r] + c], added up over pixels, in floats.
struct DepthwiseProducts {
  int images = 1, rows = 1, columns = 1;
  const float* x = nullptr;
  std::ptrdiff_t x_image = 0, x_row = 0, x_column = 0;
  const float* dy = nullptr;
  std::ptrdiff_t dy_image = 0, dy_row = 0, dy_column = 0;
  std::span<const std::ptrdiff_t> runs;
  int channels = 0;  ///< up to 15 more are read and written
  float* sums = nullptr;
  std::ptrdiff_t sums_row = 0;  ///< from run to run
};
void depthwise_products(const DepthwiseProducts& products);

/// The panel products of a depthwise convolution, in floats: each output sees the input of its own place, so
/// x is the first panel's first input, and depth is 1.
void depthwise_panels(const PanelProducts& panels, const float* x, int pixels, float* sums);

inline constexpr int kMostBlockPixels = 32;

struct TrainingUnit {
  const char* name;
  bool bf16;   ///< elements are pairs
  int pixels;  ///< of a block, at most: of one panel, and of two; never more than kMostBlockPixels
  int pixels_of_two;
  bool slides;  ///< takes three taps at once
  int depth;    ///< runs, and with bf16 columns, are padded with zeros to a multiple of so many
  /// Maps with fewer columns are multiplied image after image: their rows would not fill a block.
  int least_columns;

  void (*begin)();  ///< around all calls in a thread
  void (*end)();
  /// sums[pixel][kPanelPair]; without a second panel its half is left as it is. May read and write as
  /// many pixels as a block has at most.
  void (*products)(const PanelProducts& panels, const void* x, int pixels, float* sums);
  void (*outer)(const OuterProducts& sums);
};

/// Null where the machine has none, or tests hide it.
const TrainingUnit* training_amx_unit();
const TrainingUnit* training_avx512_bf16_unit();

/// Vectors of fp32, everywhere.
const TrainingUnit& training_fp32_unit();

}  // namespace concertina::kernels
