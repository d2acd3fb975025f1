#include "kernels/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

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
  const int channels = a.groups * a.out_channels;
  Floats result;
  for (int n = 0; n < a.batch; ++n) {
    for (int k = 0; k < channels; ++k) {
      for (int y = 0; y < a.window.out_h; ++y) {
        for (int x = 0; x < a.window.out_w; ++x) {
          const double residual = a.residual.empty() ? 0 : a.residual[result.size()];
          const auto c = static_cast<std::size_t>(k);
          result.push_back(activate(a.act, conv_sum(a, n, k, y, x) * a.scale[c] + a.shift[c] + residual));
        }
      }
    }
  }
  return result;
}

Floats max_pool(const Floats& x, int planes, const WindowArgs& w) {
  Floats result;
  for (int c = 0; c < planes; ++c) {
    for (int oy = 0; oy < w.out_h; ++oy) {
      for (int ox = 0; ox < w.out_w; ++ox) {
        float top = -std::numeric_limits<float>::infinity();
        for_window(w, oy, ox,
                   [&](int iy, int ix, int, int) { top = std::max(top, x[at(c, iy, w.in_h, ix, w.in_w)]); });
        result.push_back(top);
      }
    }
  }
  return result;
}

Floats average_pool(const Floats& x, int planes, const WindowArgs& w, bool padding_counts, int pad_bottom,
                    int pad_right) {
  WindowArgs padded = w;  // the same windows, over the padded map
  padded.in_h += w.pad_top + pad_bottom;
  padded.in_w += w.pad_left + pad_right;
  padded.pad_top = padded.pad_left = 0;
  Floats result;
  for (int c = 0; c < planes; ++c) {
    for (int oy = 0; oy < w.out_h; ++oy) {
      for (int ox = 0; ox < w.out_w; ++ox) {
        double sum = 0;
        int count = 0;
        for_window(w, oy, ox, [&](int iy, int ix, int, int) { sum += x[at(c, iy, w.in_h, ix, w.in_w)]; });
        for_window(padding_counts ? padded : w, oy, ox, [&](int, int, int, int) { ++count; });
        result.push_back(static_cast<float>(sum / count));
      }
    }
  }
  return result;
}

Floats global_average_pool(const Floats& x, int planes, int pixels) {
  return average_pool(x, planes, {.in_w = pixels, .kernel_w = pixels}, false, 0, 0);
}

float activate(FusedActivation act, double value) {
  if (act != FusedActivation::none) value = std::max(value, 0.0);
  if (act == FusedActivation::relu6) value = std::min(value, 6.0);
  return static_cast<float>(value);
}

float apply(const PointwiseFunction& f, double x) {
  switch (f.kind) {
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
  }
  return static_cast<float>(x);
}

Floats combine(Arithmetic arithmetic, const Planes& a_planes, const Floats& a, const Planes& b_planes,
               const Floats& b, FusedActivation act) {
  Floats result;
  for (int n = 0; n < a_planes.batch; ++n) {
    for (int c = 0; c < a_planes.channels; ++c) {
      for (int p = 0; p < a_planes.pixels; ++p) {
        const double x = a[result.size()];
        const double y =
            b[at(n, c % b_planes.channels, b_planes.channels, p % b_planes.pixels, b_planes.pixels)];
        result.push_back(activate(act, arithmetic == Arithmetic::add ? x + y : x * y));
      }
    }
  }
  return result;
}

Floats affine(const Floats& x, int batch, int channels, int pixels, const Floats& scale, const Floats& shift,
              FusedActivation act) {
  Floats result;
  for (int n = 0; n < batch; ++n) {
    for (int c = 0; c < channels; ++c) {
      for (int p = 0; p < pixels; ++p) {
        const auto k = static_cast<std::size_t>(c);
        result.push_back(
            activate(act, static_cast<double>(x[at(n, c, channels, p, pixels)]) * scale[k] + shift[k]));
      }
    }
  }
  return result;
}

Floats softmax(const Floats& x, int batch, int channels, int pixels) {
  Floats result(x.size());
  for (int n = 0; n < batch; ++n) {
    for (int p = 0; p < pixels; ++p) {
      const auto channel = [&](int c) { return at(n, c, channels, p, pixels); };
      double top = -std::numeric_limits<double>::infinity();
      for (int c = 0; c < channels; ++c) top = std::max<double>(top, x[channel(c)]);
      double sum = 0;
      for (int c = 0; c < channels; ++c) sum += std::exp(x[channel(c)] - top);
      for (int c = 0; c < channels; ++c)
        result[channel(c)] = static_cast<float>(std::exp(x[channel(c)] - top) / sum);
    }
  }
  return result;
}

Floats gather_channels(const Planes& planes, const Floats& x, std::span<const int> sources) {
  Floats result;
  for (int n = 0; n < planes.batch; ++n) {
    for (const int c : sources) {
      for (int p = 0; p < planes.pixels; ++p)
        result.push_back(x[at(n, c, planes.channels, p, planes.pixels)]);
    }
  }
  return result;
}

Floats pick_pixels(const Floats& x, int planes, int in_h, int in_w, std::span<const int> rows,
                   std::span<const int> columns, float value) {
  Floats result;
  for (int c = 0; c < planes; ++c) {
    for (const int row : rows) {
      for (const int column : columns) {
        result.push_back(row < 0 || column < 0 ? value : x[at(c, row, in_h, column, in_w)]);
      }
    }
  }
  return result;
}

Floats blend_pixels(const Floats& x, int planes, int in_h, int in_w, std::span<const LinearTap> rows,
                    std::span<const LinearTap> columns) {
  Floats result;
  for (int c = 0; c < planes; ++c) {
    for (const LinearTap& row : rows) {
      for (const LinearTap& column : columns) {
        const auto line = [&](int y) {
          const double left = x[at(c, y, in_h, column.first, in_w)];
          const double right = x[at(c, y, in_h, column.second, in_w)];
          return left + (right - left) * column.share;
        };
        const double upper = line(row.first);
        result.push_back(static_cast<float>(upper + (line(row.second) - upper) * row.share));
      }
    }
  }
  return result;
}

}  // namespace concertina::kernels::reference
