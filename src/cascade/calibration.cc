#include "cascade/calibration.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace concertina::cascade {
namespace {

constexpr int kSteps = 50;
constexpr double kConverged = 1e-7;  // of the mean loss
constexpr double kRidge = 1e-9;      // keeps the Hessian regular where one input tells nothing

/// Mean negative log-likelihood, and its first and second derivatives by own (a) and before (b).
struct Curvature {
  double loss = 0, a = 0, b = 0, aa = 0, ab = 0, bb = 0;
};

/// Two inputs to the scores, [images][classes]; the second may be absent.
struct Problem {
  std::span<const float> logits, previous;
  std::span<const std::int32_t> labels;
  std::span<const int> images;

  std::size_t classes() const { return logits.size() / labels.size(); }

  /// The moments of both inputs under softmax(own * x + before * y) of one image, added to `sum`.
  void add(const float* x, const float* y, std::size_t label, const Blend& at, Curvature& sum) const {
    const auto value = [&](std::size_t j) { return at.own * x[j] + (y ? at.before * y[j] : 0); };
    double best = value(0);
    for (std::size_t j = 1; j < classes(); ++j) best = std::max(best, value(j));
    double p = 0, px = 0, py = 0, pxx = 0, pxy = 0, pyy = 0;
    for (std::size_t j = 0; j < classes(); ++j) {
      const double e = std::exp(value(j) - best), u = x[j], v = y ? y[j] : 0;
      p += e;
      px += e * u;
      py += e * v;
      pxx += e * u * u;
      pxy += e * u * v;
      pyy += e * v * v;
    }
    const double mx = px / p, my = py / p;
    sum.loss += best + std::log(p) - value(label);
    sum.a += mx - x[label];
    sum.b += my - (y ? y[label] : 0);
    sum.aa += pxx / p - mx * mx;
    sum.ab += pxy / p - mx * my;
    sum.bb += pyy / p - my * my;
  }

  Curvature at(const Blend& blend) const {
    Curvature sum;
    for (const int image : images) {
      const std::size_t row = static_cast<std::size_t>(image) * classes();
      add(logits.data() + row, previous.empty() ? nullptr : previous.data() + row,
          static_cast<std::size_t>(labels[image]), blend, sum);
    }
    const auto n = static_cast<double>(images.size());
    return {sum.loss / n, sum.a / n, sum.b / n, sum.aa / n + kRidge, sum.ab / n, sum.bb / n + kRidge};
  }
};

}  // namespace

void blend_into(const Blend& blend, std::span<const float> logits, std::span<float> scores) {
  for (std::size_t i = 0; i < logits.size(); ++i) {
    scores[i] = static_cast<float>(blend.own * logits[i] + blend.before * scores[i]);
  }
}

Blend fit_blend(std::span<const float> logits, std::span<const float> previous,
                std::span<const std::int32_t> labels, std::span<const int> images) {
  const Problem problem{logits, previous, labels, images};
  Blend blend;
  Curvature now = problem.at(blend);
  for (int step = 0; step < kSteps; ++step) {
    const double determinant = now.aa * now.bb - now.ab * now.ab;
    const double da = (now.bb * now.a - now.ab * now.b) / determinant;
    const double db = previous.empty() ? 0 : (now.aa * now.b - now.ab * now.a) / determinant;
    double length = 1;
    Blend next;
    Curvature then;
    do {
      next = {blend.own - length * da, blend.before - length * db};
      then = problem.at(next);
      length /= 2;
    } while (!(then.loss <= now.loss) && length > 1e-6);
    if (!(then.loss < now.loss)) break;
    const bool converged = now.loss - then.loss < kConverged;
    blend = next;
    now = then;
    if (converged) break;
  }
  return blend;
}

double expected_calibration_error(std::span<const double> confidences, std::span<const std::uint8_t> correct,
                                  int bins) {
  std::vector<double> surplus(static_cast<std::size_t>(bins));  // confidence less correctness, summed
  for (std::size_t i = 0; i < confidences.size(); ++i) {
    const int bin = std::clamp(static_cast<int>(confidences[i] * bins), 0, bins - 1);
    surplus[bin] += confidences[i] - correct[i];
  }
  double sum = 0;
  for (const double one : surplus) sum += std::abs(one);
  return sum / static_cast<double>(confidences.size());
}

}  // namespace concertina::cascade
