#include "report/line_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "report/markup.h"

namespace concertina::report {
namespace {

constexpr double kWidth = 520, kHeight = 400, kLeft = 64, kRight = 16, kTop = 40, kBottom = 56;

// Okabe and Ito (2008): told apart by colour-blind eyes and on paper.
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                    "#e69f00", "#56b4e9", "#000000", "#999999"};

const char* colour(std::size_t series) {
  return kColours[series % std::size(kColours)];
}

/// Each time the colours are used up, other strokes.
const char* dashes(std::size_t series) {
  constexpr const char* kDashes[] = {"", "stroke-dasharray=\"8 4\"", "stroke-dasharray=\"2 3\"",
                                     "stroke-dasharray=\"8 3 2 3\""};
  return kDashes[series / std::size(kColours) % std::size(kDashes)];
}

/// More names than this stand in a column of their own.
constexpr std::size_t kNamesInside = 8;
constexpr double kColumn = 220;

std::string text(double x, double y, const std::string& content, const char* more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" {}>{}</text>\n", x, y, more, escaped(content));
}

std::string line(double x1, double y1, double x2, double y2, const char* stroke) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\"/>\n", x1,
                     y1, x2, y2, stroke);
}

struct Interval {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void include(double v) {
    low = std::min(low, v);
    high = std::max(high, v);
  }
};

/// 1, 2 or 5 times a power of ten: the step that gives about `count` ticks.
double tick_step(double range, int count) {
  const double raw = range / count, power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (raw <= factor * power) return factor * power;
  }
  return 10 * power;
}

/// One plot's frame: from values to pixels.
class Frame {
 public:
  Frame(const LinePlot& plot, double left) : left_(left) {
    for (const PlotSeries& series : plot.series) {
      for (const PlotPoint& p : series.points) {
        x_.include(std::log(p.x));
        y_.include(p.y - p.error);
        y_.include(p.y + p.error);
      }
    }
    if (x_.low > x_.high) x_ = y_ = {0, 1};
    if (x_.low == x_.high) x_.high += 1;
    const double margin = std::max((y_.high - y_.low) * 0.05, 1e-6);
    y_.low -= margin;
    y_.high += margin;
  }

  double x(double value) const {
    return left_ + kLeft + (std::log(value) - x_.low) / (x_.high - x_.low) * (kWidth - kLeft - kRight);
  }
  double y(double value) const {
    return kHeight - kBottom - (value - y_.low) / (y_.high - y_.low) * (kHeight - kTop - kBottom);
  }

  std::string axes(const LinePlot& plot) const {
    const double right = left_ + kWidth - kRight, bottom = kHeight - kBottom;
    std::string svg = text(left_ + kLeft, kTop - 16, plot.title, "font-weight=\"bold\"");
    const double step = tick_step(y_.high - y_.low, 7);
    for (double v = std::ceil(y_.low / step) * step; v <= y_.high; v += step) {
      svg += line(left_ + kLeft, y(v), right, y(v), "#dddddd");
      svg += text(left_ + kLeft - 6, y(v) + 4, fmt::format("{:g}", std::round(v * 1e6) / 1e6),
                  "text-anchor=\"end\"");
    }
    for (double power = std::floor(x_.low / std::log(10)); power <= x_.high / std::log(10); ++power) {
      for (const double factor : {1.0, 2.0, 5.0}) {
        const double v = factor * std::pow(10, power);
        if (std::log(v) < x_.low || std::log(v) > x_.high) continue;
        svg += line(x(v), kTop, x(v), bottom, "#dddddd");
        svg += text(x(v), bottom + 16, fmt::format("{:g}", v), "text-anchor=\"middle\"");
      }
    }
    svg += line(left_ + kLeft, bottom, right, bottom, "#333333");
    svg += line(left_ + kLeft, kTop, left_ + kLeft, bottom, "#333333");
    svg += text((left_ + kLeft + right) / 2, bottom + 40, plot.x_label, "text-anchor=\"middle\"");
    const double middle = (kTop + bottom) / 2;
    const std::string turn =
        fmt::format("text-anchor=\"middle\" transform=\"rotate(-90 {:.1f} {:.1f})\"", left_ + 16, middle);
    return svg + text(left_ + 16, middle, plot.y_label, turn.c_str());
  }

  std::string draw(const PlotSeries& series, std::size_t number) const {
    const char* stroke = colour(number);
    std::string svg, path;
    for (const PlotPoint& p : series.points) {
      path += fmt::format("{:.1f},{:.1f} ", x(p.x), y(p.y));
      svg +=
          fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>\n", x(p.x), y(p.y), stroke);
      if (p.error > 0) svg += line(x(p.x), y(p.y - p.error), x(p.x), y(p.y + p.error), stroke);
    }
    return svg + fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" {}/>\n",
                             path, stroke, dashes(number));
  }

 private:
  double left_;
  Interval x_, y_;
};

std::string legend_inside(const std::vector<PlotSeries>& series) {
  std::string svg;
  double y = kHeight - kBottom - 12 - 18 * (static_cast<double>(series.size()) - 1);
  for (std::size_t i = 0; i < series.size(); ++i, y += 18) {
    const std::string end = fmt::format("text-anchor=\"end\" fill=\"{}\"", colour(i));
    svg += text(kWidth - kRight - 8, y, series[i].name, end.c_str());
  }
  return svg;
}

std::string legend_beside(const std::vector<PlotSeries>& series, double left) {
  std::string svg;
  const double pitch = std::min(18.0, (kHeight - kTop) / static_cast<double>(series.size()));
  for (std::size_t i = 0; i < series.size(); ++i) {
    const double y = kTop + pitch * static_cast<double>(i);
    svg += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" stroke-width=\"2\" "
        "{}/>\n",
        left, y - 4, left + 28, y - 4, colour(i), dashes(i));
    svg += text(left + 34, y, series[i].name, fmt::format("fill=\"{}\"", colour(i)).c_str());
  }
  return svg;
}

}  // namespace

std::string to_svg(const std::vector<LinePlot>& plots) {
  const bool beside = !plots.empty() && plots[0].series.size() > kNamesInside;
  const double width = kWidth * static_cast<double>(plots.size());
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
      width + (beside ? kColumn : 0), kHeight);
  for (std::size_t i = 0; i < plots.size(); ++i) {
    const Frame frame(plots[i], kWidth * static_cast<double>(i));
    svg += frame.axes(plots[i]);
    for (std::size_t s = 0; s < plots[i].series.size(); ++s) svg += frame.draw(plots[i].series[s], s);
  }
  if (!plots.empty()) svg += beside ? legend_beside(plots[0].series, width) : legend_inside(plots[0].series);
  return svg + "</svg>\n";
}

}  // namespace concertina::report
