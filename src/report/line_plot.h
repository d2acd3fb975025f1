#pragma once

#include <string>
#include <vector>

namespace concertina::report {

struct PlotPoint {
  double x = 0;
  double y = 0;
  double error = 0;  ///< half the height of the error bar; 0 = none
};

struct PlotSeries {
  std::string name;
  std::vector<PlotPoint> points;  ///< ascending in x
};

/// Lines over a logarithmic x axis.
struct LinePlot {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<PlotSeries> series;
};

/// The plots side by side, as one SVG file that needs nothing else. The first one's legend stands for all: a
/// series has the same colour in each, by its place. Precondition: all x are positive.
std::string to_svg(const std::vector<LinePlot>& plots);

}  // namespace concertina::report
