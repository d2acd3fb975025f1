#pragma once

#include <span>
#include <vector>

#include "kernels/across_channels.h"
#include "kernels/conv_types.h"
#include "kernels/elementwise.h"
#include "kernels/resample.h"

/// What every kernel computes, written to be read: plain loops over plain arrays, sums in double. Maps are
/// NCHW without padding, filters OIHW. Slow; for tests and for whoever wants to know.
namespace concertina::kernels::reference {

using Floats = std::vector<float>;

/// x [batch][groups * in_channels][in_h][in_w], w [groups * out_channels][in_channels][kernel_h][kernel_w],
/// scale and shift [groups * out_channels], residual empty or as the result
/// -> function(act(scale * (x * w) + shift + residual)) [batch][groups * out_channels][out_h][out_w]
struct Conv {
  int batch = 1;
  int groups = 1;
  int in_channels = 1;   ///< per group
  int out_channels = 1;  ///< per group
  WindowArgs window;
  Floats x;
  Floats w;
  Floats scale;
  Floats shift;
  Floats residual;
  FusedActivation act = FusedActivation::none;
  PointwiseFunction function = {};  ///< then act is none
};
Floats conv(const Conv& args);

/// x [planes][in_h][in_w] -> [planes][out_h][out_w]
Floats max_pool(const Floats& x, int planes, const WindowArgs& window);

/// The divisor is the part of the window inside the map, or, where padding counts, inside the padded map.
Floats average_pool(const Floats& x, int planes, const WindowArgs& window, bool padding_counts,
                    int pad_bottom, int pad_right);

/// x [planes][pixels] -> [planes]
Floats global_average_pool(const Floats& x, int planes, int pixels);

float activate(FusedActivation act, double value);

/// `channel` is that of the slopes.
float apply(const PointwiseFunction& function, double x, int channel = 0);

/// The sizes of a plain array [batch][channels][pixels].
struct Planes {
  int batch = 1;
  int channels = 1;
  int pixels = 1;
};

/// act(a + b) or act(a * b); b may have one channel, or one pixel, for all of a's.
Floats combine(Arithmetic arithmetic, const Planes& a_planes, const Floats& a, const Planes& b_planes,
               const Floats& b, FusedActivation act);

/// act(x * scale[c] + shift[c]); x [batch][channels][pixels]
Floats affine(const Floats& x, int batch, int channels, int pixels, const Floats& scale, const Floats& shift,
              FusedActivation act);

/// (x - mean) / sqrt(variance + epsilon) * scale[c] + shift[c], the moments being those of each run of
/// `group` channels, over all pixels of an image or in each pixel; x [batch][channels][pixels]
Floats normalize(const Floats& x, const Planes& planes, int group, bool by_pixel, float epsilon,
                 const Floats& scale, const Floats& shift);

/// The mean, the largest or the sum over the channels of each pixel -> [batch][1][pixels]
Floats reduce_channels(const Floats& x, const Planes& planes, ChannelReduction reduction);

/// x / (bias + alpha / size * sum of x^2 over `size` channels around it)^beta
Floats local_response_norm(const Floats& x, const Planes& planes, int size, float alpha, float beta,
                           float bias);

/// x where it is >= 0, x * slope[c] elsewhere; x [batch][channels][pixels]
Floats prelu(const Floats& x, int batch, int channels, int pixels, const Floats& slope);

/// Over the channels, or the logarithm of that; x [batch][channels][pixels]
Floats softmax(const Floats& x, int batch, int channels, int pixels, bool logarithm = false);

/// Channel k of the result is channel sources[k] of x [batch][channels][pixels].
Floats gather_channels(const Planes& planes, const Floats& x, std::span<const int> sources);

/// As kernels::pick_pixels() and kernels::blend_pixels(); x [planes][in_h][in_w]
Floats pick_pixels(const Floats& x, int planes, int in_h, int in_w, std::span<const int> rows,
                   std::span<const int> columns, float value);
Floats blend_pixels(const Floats& x, int planes, int in_h, int in_w, std::span<const LinearTap> rows,
                    std::span<const LinearTap> columns);

/// As kernels::scale_planes(), by the weights of base/resampling.h; x [planes][in_h][in_w] ->
/// [planes][out_h][out_w]
Floats scale_planes(const Floats& x, int planes, int in_h, int in_w, int out_h, int out_w);

}  // namespace concertina::kernels::reference
