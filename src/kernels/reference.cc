#include "kernels/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/resampling.h"

namespace concertina::kernels::reference {
namespace {

std::size_t at(int a, int b, int size_b, int c, int size_c, int d = 0, int size_d = 1) {
  return ((static_cast<std::size_t>(a) * size_b + b) * size_c + c) * size_d + d;
}

/// Calls body(iy, ix) for the pixels of the map that the output pixel (y, x) sees.
template <typename Body>
void for_window(const WindowArgs& w, int y, int x, const Body& body) {
  for (int i = 0; i < w.kernel_h; ++i) {
    for (int j = 0; j < w.kernel_w; ++j) {
      const int iy = y * w.stride_h - w.pad_top + i * w.dilation_h;
      const int ix = x * w.stride_w - w.pad_left + j * w.dilation_w;
      if (0 <= iy && iy < w.in_h && 0 <= ix && ix < w.in_w) body(iy, ix, i, j);
    }
  }
}

/// value(i, j, k) for all of them, the last one fastest: of planes, rows and columns, or images, channels and
/// pixels.
template <typename Value>
Floats for_all(int a, int b, int c, const Value& value) {
  Floats result;
  for (int i = 0; i < a; ++i) {
    for (int j = 0; j < b; ++j) {
      for (int k = 0; k < c; ++k) result.push_back(static_cast<float>(value(i, j, k)));
    }
  }
  return result;
}

double conv_sum(const Conv& a, int n, int k, int y, int x) {
  const WindowArgs& w = a.window;
  const int group = k / a.out_channels;
  double sum = 0;
  for (int c = 0; c < a.in_channels; ++c) {
    for_window(w, y, x, [&](int iy, int ix, int i, int j) {
      const int channel = group * a.in_channels + c;
      sum += static_cast<double>(a.x[at(n, channel, a.groups * a.in_channels, iy, w.in_h, ix, w.in_w)]) *
             a.w[at(k, c, a.in_channels, i, w.kernel_h, j, w.kernel_w)];
    });
  }
  return sum;
}

}  // namespace

Floats conv(const Conv& a) {
  const WindowArgs& w = a.window;
  const int channels = a.groups * a.out_channels;
  return for_all(a.batch * channels, w.out_h, w.out_w, [&](int plane, int y, int x) {
    const int n = plane / channels, k = plane % channels;
    const double residual = a.residual.empty() ? 0 : a.residual[at(plane, y, w.out_h, x, w.out_w)];
    const double sum = conv_sum(a, n, k, y, x) * a.scale[k] + a.shift[k] + residual;
    return a.function ? apply(a.function, sum, k) : activate(a.act, sum);
  });
}

Floats max_pool(const Floats& x, int planes, const WindowArgs& w) {
  return for_all(planes, w.out_h, w.out_w, [&](int c, int oy, int ox) {
    float top = -std::numeric_limits<float>::infinity();
    for_window(w, oy, ox,
               [&](int iy, int ix, int, int) { top = std::max(top, x[at(c, iy, w.in_h, ix, w.in_w)]); });
    return top;
  });
}

Floats average_pool(const Floats& x, int planes, const WindowArgs& w, bool padding_counts, int pad_bottom,
                    int pad_right) {
  WindowArgs padded = w;  // the same windows, over the padded map
  padded.in_h += w.pad_top + pad_bottom;
  padded.in_w += w.pad_left + pad_right;
  padded.pad_top = padded.pad_left = 0;
  return for_all(planes, w.out_h, w.out_w, [&](int c, int oy, int ox) {
    double sum = 0;
    int count = 0;
    for_window(w, oy, ox, [&](int iy, int ix, int, int) { sum += x[at(c, iy, w.in_h, ix, w.in_w)]; });
    for_window(padding_counts ? padded : w, oy, ox, [&](int, int, int, int) { ++count; });
    return sum / count;
  });
}

Floats global_average_pool(const Floats& x, int planes, int pixels) {
  return average_pool(x, planes, {.in_w = pixels, .kernel_w = pixels}, false, 0, 0);
}

float activate(FusedActivation act, double value) {
  if (act != FusedActivation::none) value = std::max(value, 0.0);
  if (act == FusedActivation::relu6) value = std::min(value, 6.0);
  return static_cast<float>(value);
}

float apply(const PointwiseFunction& f, double x, int channel) {
  const auto elu = [&] { return x >= 0 ? x : f.a * std::expm1(x); };
  const auto softplus = [&] { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); };
  switch (f.kind) {
    case PointwiseFunction::Kind::none:
      return static_cast<float>(x);
    case PointwiseFunction::Kind::prelu:
      return static_cast<float>(x >= 0 ? x : f.slope[channel] * x);
    case PointwiseFunction::Kind::silu:
      return static_cast<float>(x / (1 + std::exp(-x)));
    case PointwiseFunction::Kind::clip:
      return static_cast<float>(std::min<double>(std::max<double>(x, f.a), f.b));
    case PointwiseFunction::Kind::leaky_relu:
      return static_cast<float>(x >= 0 ? x : f.a * x);
    case PointwiseFunction::Kind::hard_sigmoid:
      return static_cast<float>(std::min(std::max(f.a * x + f.b, 0.0), 1.0));
    case PointwiseFunction::Kind::hard_swish:
      return static_cast<float>(x * std::min(std::max(x / 6 + 0.5, 0.0), 1.0));
    case PointwiseFunction::Kind::sigmoid:
      return static_cast<float>(1 / (1 + std::exp(-x)));
    case PointwiseFunction::Kind::tanh:
      return static_cast<float>(std::tanh(x));
    case PointwiseFunction::Kind::elu:
      return static_cast<float>(elu());
    case PointwiseFunction::Kind::selu:
      return static_cast<float>(f.b * elu());
    case PointwiseFunction::Kind::softplus:
      return static_cast<float>(softplus());
    case PointwiseFunction::Kind::mish:
      return static_cast<float>(x * std::tanh(softplus()));
    case PointwiseFunction::Kind::erf:
      return static_cast<float>(std::erf(x));
    case PointwiseFunction::Kind::gelu:
      return static_cast<float>(x / 2 * std::erfc(-x / std::numbers::sqrt2));
    case PointwiseFunction::Kind::gelu_tanh: {
      const double scale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
      return static_cast<float>(x / 2 * (1 + std::tanh(scale * (x + 0.044715 * x * x * x))));
    }
    case PointwiseFunction::Kind::sqrt:
      return static_cast<float>(std::sqrt(x));
    case PointwiseFunction::Kind::reciprocal:
      return static_cast<float>(1 / x);
  }
  return static_cast<float>(x);
}

Floats combine(Arithmetic arithmetic, const Planes& a_planes, const Floats& a, const Planes& b_planes,
               const Floats& b, FusedActivation act) {
  return for_all(a_planes.batch, a_planes.channels, a_planes.pixels, [&](int n, int c, int p) {
    const double x = a[at(n, c, a_planes.channels, p, a_planes.pixels)];
    const double y = b[at(n, c % b_planes.channels, b_planes.channels, p % b_planes.pixels, b_planes.pixels)];
    return activate(act, arithmetic == Arithmetic::add ? x + y : x * y);
  });
}

Floats affine(const Floats& x, int batch, int channels, int pixels, const Floats& scale, const Floats& shift,
              FusedActivation act) {
  return for_all(batch, channels, pixels, [&](int n, int c, int p) {
    return activate(act, static_cast<double>(x[at(n, c, channels, p, pixels)]) * scale[c] + shift[c]);
  });
}

Floats normalize(const Floats& x, const Planes& planes, int group, bool by_pixel, float epsilon,
                 const Floats& scale, const Floats& shift) {
  const auto value = [&](int n, int c, int p) -> double {
    return x[at(n, c, planes.channels, p, planes.pixels)];
  };
  return for_all(planes.batch, planes.channels, planes.pixels, [&](int n, int c, int p) {
    const int first = c / group * group, begin = by_pixel ? p : 0, end = by_pixel ? p + 1 : planes.pixels;
    const auto mean_of = [&](const auto& term) {
      double sum = 0;
      for (int k = first; k < first + group; ++k) {
        for (int q = begin; q < end; ++q) sum += term(value(n, k, q));
      }
      return sum / group / (end - begin);
    };
    const double mean = mean_of([](double v) { return v; });
    const double variance = mean_of([&](double v) { return (v - mean) * (v - mean); });
    return (value(n, c, p) - mean) / std::sqrt(variance + epsilon) * scale[c] + shift[c];
  });
}

Floats reduce_channels(const Floats& x, const Planes& planes, ChannelReduction reduction) {
  return for_all(planes.batch, 1, planes.pixels, [&](int n, int, int p) {
    double sum = 0, top = -std::numeric_limits<double>::infinity();
    for (int c = 0; c < planes.channels; ++c) {
      const double v = x[at(n, c, planes.channels, p, planes.pixels)];
      sum += v;
      top = std::max(top, v);
    }
    switch (reduction) {
      case ChannelReduction::mean:
        return sum / planes.channels;
      case ChannelReduction::largest:
        return top;
      case ChannelReduction::sum:
        break;
    }
    return sum;
  });
}

Floats local_response_norm(const Floats& x, const Planes& planes, int size, float alpha, float beta,
                           float bias) {
  return for_all(planes.batch, planes.channels, planes.pixels, [&](int n, int c, int p) {
    const auto value = [&](int k) -> double { return x[at(n, k, planes.channels, p, planes.pixels)]; };
    double sum = 0;
    for (int k = c - (size - 1) / 2; k <= c + size / 2; ++k) {
      if (0 <= k && k < planes.channels) sum += value(k) * value(k);
    }
    return value(c) / std::pow(bias + static_cast<double>(alpha) / size * sum, beta);
  });
}

Floats prelu(const Floats& x, int batch, int channels, int pixels, const Floats& slope) {
  return for_all(batch, channels, pixels, [&](int n, int c, int p) {
    const float v = x[at(n, c, channels, p, pixels)];
    return v >= 0 ? v : v * slope[c];
  });
}

Floats softmax(const Floats& x, int batch, int channels, int pixels, bool logarithm) {
  Floats result(x.size());
  for (int n = 0; n < batch; ++n) {
    for (int p = 0; p < pixels; ++p) {
      const auto channel = [&](int c) { return at(n, c, channels, p, pixels); };
      double top = -std::numeric_limits<double>::infinity();
      for (int c = 0; c < channels; ++c) top = std::max<double>(top, x[channel(c)]);
      double sum = 0;
      for (int c = 0; c < channels; ++c) sum += std::exp(x[channel(c)] - top);
      for (int c = 0; c < channels; ++c) {
        const double above = x[channel(c)] - top;
        result[channel(c)] = static_cast<float>(logarithm ? above - std::log(sum) : std::exp(above) / sum);
      }
    }
  }
  return result;
}

Floats gather_channels(const Planes& planes, const Floats& x, std::span<const int> sources) {
  return for_all(planes.batch, static_cast<int>(sources.size()), planes.pixels, [&](int n, int k, int p) {
    return x[at(n, sources[k], planes.channels, p, planes.pixels)];
  });
}

Floats pick_pixels(const Floats& x, int planes, int in_h, int in_w, std::span<const int> rows,
                   std::span<const int> columns, float value) {
  return for_all(planes, static_cast<int>(rows.size()), static_cast<int>(columns.size()),
                 [&](int c, int oy, int ox) {
                   const int row = rows[oy];
                   const int column = columns[ox];
                   return row < 0 || column < 0 ? value : x[at(c, row, in_h, column, in_w)];
                 });
}

Floats blend_pixels(const Floats& x, int planes, int in_h, int in_w, std::span<const LinearTap> rows,
                    std::span<const LinearTap> columns) {
  return for_all(planes, static_cast<int>(rows.size()), static_cast<int>(columns.size()),
                 [&](int c, int oy, int ox) {
                   const LinearTap& row = rows[oy];
                   const LinearTap& column = columns[ox];
                   const auto line = [&](int y) {
                     const double left = x[at(c, y, in_h, column.first, in_w)];
                     const double right = x[at(c, y, in_h, column.second, in_w)];
                     return left + (right - left) * column.share;
                   };
                   const double upper = line(row.first);
                   return upper + (line(row.second) - upper) * row.share;
                 });
}

Floats scale_planes(const Floats& x, int planes, int in_h, int in_w, int out_h, int out_w) {
  return for_all(planes, out_h, out_w, [&](int c, int oy, int ox) {
    const TriangleTap row = triangle_tap(in_h, out_h, oy), column = triangle_tap(in_w, out_w, ox);
    double sum = 0;
    for (std::size_t i = 0; i < row.weights.size(); ++i) {
      for (std::size_t j = 0; j < column.weights.size(); ++j) {
        const int y = static_cast<int>(row.first + i), at_x = static_cast<int>(column.first + j);
        sum += row.weights[i] * column.weights[j] * x[at(c, y, in_h, at_x, in_w)];
      }
    }
    return sum / (row.sum * column.sum);
  });
}

}  // namespace concertina::kernels::reference
