#include "report/network_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/markup.h"

namespace concertina::report {
namespace {

constexpr double kRow = 22, kMargin = 12, kArcs = 170, kLongestBar = 260;
constexpr double kCharacter = 8;  ///< width, generously: fonts differ

/// Where the bars begin, right of every node's text.
double bars_at(const NetworkPicture& picture) {
  std::size_t longest = 40;
  for (const PictureNode& node : picture.nodes)
    longest = std::max(longest, node.kind.size() + node.name.size() + node.shape.size() + 2);
  return kArcs + 20 + kCharacter * static_cast<double>(longest);
}

/// Neighbours differ most when the hue turns by the golden angle.
std::string colour(const NetworkPicture& picture, int dimension) {
  if (picture.dimensions[dimension].locked) return "#b0b0b0";
  return fmt::format("hsl({:.0f} 65% 52%)", std::fmod(137.508 * dimension, 360));
}

double centre(std::size_t node) {
  return kMargin + kRow * (static_cast<double>(node) + 0.5);
}

/// From the middle of one row to that of another; the further, the wider.
std::string connection(std::size_t from, std::size_t to) {
  const double y1 = centre(from), y2 = centre(to);
  if (to == from + 1) {
    return fmt::format("<path d=\"M{0:.1f} {1:.1f}V{2:.1f}\"/>\n", kArcs, y1, y2);
  }
  const double reach = std::min(kArcs - 10, 14 + 9 * std::sqrt(static_cast<double>(to - from)));
  return fmt::format("<path d=\"M{0:.1f} {1:.1f}C{2:.1f} {1:.1f} {2:.1f} {3:.1f} {0:.1f} {3:.1f}\"/>\n",
                     kArcs, y1, kArcs - reach, y2);
}

std::string bar(const NetworkPicture& picture, const PictureNode& node, double x, double y, double scale) {
  std::string html;
  for (const PictureSegment& segment : node.segments) {
    const PictureDimension& dimension = picture.dimensions[segment.dimension];
    const double width = std::max(2.0, scale * std::sqrt(static_cast<double>(segment.features)));
    html += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"12\" fill=\"{}\"><title>{}: {} features{}"
        "</title></rect>\n",
        x, y - 6, width, colour(picture, segment.dimension), escaped(dimension.name), segment.features,
        dimension.locked ? ", locked" : "");
    x += width + 1;
  }
  return html;
}

std::string drawing(const NetworkPicture& picture) {
  double widest = 1;
  for (const PictureNode& node : picture.nodes) {
    double sum = 0;
    for (const PictureSegment& segment : node.segments)
      sum += std::sqrt(static_cast<double>(segment.features));
    widest = std::max(widest, sum);
  }
  const double bars = bars_at(picture);
  std::string html =
      fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{:.0f}\" height=\"{:.0f}\">\n",
                  bars + kLongestBar + 40, 2 * kMargin + kRow * static_cast<double>(picture.nodes.size()));
  html += "<g fill=\"none\" stroke=\"#888\">\n";
  for (std::size_t i = 0; i < picture.nodes.size(); ++i) {
    for (const int input : picture.nodes[i].inputs) html += connection(static_cast<std::size_t>(input), i);
  }
  html += "</g>\n";
  for (std::size_t i = 0; i < picture.nodes.size(); ++i) {
    const PictureNode& node = picture.nodes[i];
    const double y = centre(i);
    html += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"/>\n", kArcs, y);
    html += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\"><tspan class=\"kind\">{}</tspan> {} <tspan class=\"shape\">{}"
        "</tspan></text>\n",
        kArcs + 10, y + 4, escaped(node.kind), escaped(node.name), escaped(node.shape));
    html += bar(picture, node, bars, y, kLongestBar / widest);
  }
  return html + "</svg>\n";
}

std::string table(const NetworkPicture& picture) {
  std::string html =
      "<table><tr><th></th><th>dimension</th><th>channels</th><th>MACs at stake</th><th>why</th></tr>\n";
  for (std::size_t d = 0; d < picture.dimensions.size(); ++d) {
    const PictureDimension& dimension = picture.dimensions[d];
    std::string reasons;
    for (const std::string& reason : dimension.reasons) reasons += escaped(reason) + "<br>";
    html += fmt::format(
        "<tr><td style=\"background:{}\"></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        colour(picture, static_cast<int>(d)), escaped(dimension.name), dimension.channels,
        dimension.locked ? std::string("locked") : fmt::format("{:.1f} %", 100 * dimension.share), reasons);
  }
  return html + "</table>\n";
}

}  // namespace

std::string to_html(const NetworkPicture& picture) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title>\n<style>\n"
      "body {{ font: 13px sans-serif; margin: 20px; color: #222; background: #fff }}\n"
      ".kind {{ font-weight: bold }} .shape {{ fill: #777 }}\n"
      "table {{ border-collapse: collapse; margin-bottom: 20px }}\n"
      "td, th {{ padding: 3px 10px; text-align: left; vertical-align: top; border-bottom: 1px solid #ddd }}\n"
      "td:first-child {{ width: 10px }}\n</style></head>\n<body><h1>{0}</h1>\n"
      "<p>A bar shows a node's channels, coloured by dimension (its length goes with the square root of "
      "their number); "
      "grey ones are locked.</p>\n{1}{2}</body></html>\n",
      escaped(picture.title), table(picture), drawing(picture));
}

}  // namespace concertina::report
