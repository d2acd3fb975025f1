#include <fmt/format.h>

#include <set>

#include "base/file.h"
#include "base/reader.h"
#include "base/try.h"
#include "concertina/precision.h"
#include "latency/latency_table.h"

namespace concertina::latency {
namespace {

constexpr Range kCount{1, 1e9};
constexpr Range kShare{0, 1e9};  // of a time: how far off it is

MeasuredMachine read_machine(const Reader& machine) {
  if (machine.is_text())  // as older tables have it
    return {.cpu = machine.text(), .instruction_set = {}, .governor = {}};
  return {.cpu = machine["cpu"].text_or(""),
          .instruction_set = machine["instruction_set"].text_or(""),
          .cores = machine["cores"].whole_or(0, {0, kCount.high}),
          .governor = machine["governor"].text_or("")};
}

TimeQuantiles read_quantiles(const Reader& list) {
  std::array<double, TimeQuantiles::kLevels.size()> times{};
  std::size_t count = 0;
  for (const Reader& time : list.entries(times.size(), times.size())) {
    times[count] = time.number(kPositive);
    if (count > 0 && times[count] < times[count - 1]) time.fail("the times must be ascending");
    ++count;
  }
  return TimeQuantiles(times);
}

/// A network of which nothing can be left out has a sub-net without widths.
Subnet read_subnet(const Reader& widths) {
  return widths.is_text() && widths.text().empty() ? Subnet{} : widths.subnet();
}

std::vector<SubnetLatency> read_subnets(const Reader& list) {
  std::vector<SubnetLatency> subnets;
  std::set<std::tuple<Subnet, int, int>> seen;
  for (const Reader& entry : list.entries()) {
    SubnetLatency one{.subnet = read_subnet(entry["widths"]),
                      .batch = entry["batch"].whole(kCount),
                      .threads = entry["threads"].whole(kCount),
                      .runs = entry["runs"].whole(kCount),
                      .times = read_quantiles(entry["milliseconds"])};
    if (!seen.emplace(one.subnet, one.batch, one.threads).second) {
      entry.fail(fmt::format("{} with batch {} on {} threads is there twice", to_string(one.subnet),
                             one.batch, one.threads));
    }
    subnets.push_back(std::move(one));
  }
  return subnets;
}

std::vector<int> read_widths(const Reader& list) {
  std::vector<int> widths;
  for (const Reader& width : list.entries(1)) {
    widths.push_back(width.whole({1, std::numeric_limits<int>::max()}));
    if (widths.size() > 1 && widths.back() <= widths.end()[-2]) width.fail("the widths must be ascending");
  }
  return widths;
}

LayerLatency read_layer(const Reader& layer) {
  LayerLatency result{
      .inputs = read_widths(layer["inputs"]), .outputs = read_widths(layer["outputs"]), .milliseconds = {}};
  const std::size_t rows = result.inputs.size(), columns = result.outputs.size();
  for (const Reader& row : layer["milliseconds"].entries(rows, rows)) {
    for (const Reader& time : row.entries(columns, columns))
      result.milliseconds.push_back(time.number(kPositive));
  }
  if (const Reader macs = layer["macs"]) result.macs = macs.whole<std::int64_t>({1, 1e15});
  return result;
}

std::map<int, std::map<std::string, double>> read_resolutions(const Reader& list) {
  std::map<int, std::map<std::string, double>> resolutions;
  for (const Reader& entry : list.entries(1)) {
    const int resolution = entry["resolution"].whole(kCount);
    if (resolutions.contains(resolution)) entry.fail(fmt::format("resolution {} is there twice", resolution));
    for (const Reader& time : entry["milliseconds"].members())
      resolutions[resolution].insert_or_assign(time.key(), time.number(kPositive));
  }
  return resolutions;
}

PredictionError read_error(const Reader& error) {
  return {.median = error["median_error"].number(kShare),
          .worst = error["worst_error"].number(kShare),
          .rank_correlation = error["rank_correlation"].number({-1, 1})};
}

PredictionQuality read_prediction(const Reader& prediction) {
  return {.subnets = prediction["subnets"].whole(kCount),
          .noise = prediction["noise"].number(kShare),
          .layer_sums = read_error(prediction["layer_sums"]),
          .roofline = read_error(prediction["roofline"]),
          .macs = read_error(prediction["macs"]),
          .machine = {prediction["peak_gflops"].number(kPositive),
                      prediction["gbytes_per_second"].number(kPositive)}};
}

}  // namespace

Result<LatencyTable> LatencyTable::parse(std::string_view text) {
  constexpr int kWidestVector = 4096;
  const Reader root = Reader::of_json(text);
  root.check_format("concertina_latency", 1, "latency table", "concertina profile");
  LatencyTable table{.machine = read_machine(root["machine"])};
  if (const Reader precision = root["precision"]) table.precision = precision.one_of<Precision>(kPrecisions);
  if (const Reader list = root["subnets"]) table.subnets = read_subnets(list);
  if (const Reader measured = root["layers_measured"]) {
    table.conditions = {.batch = measured["batch"].whole(kCount),
                        .threads = measured["threads"].whole(kCount),
                        .vector = measured["vector"].whole({1, kWidestVector})};
  }
  if (const Reader layers = root["layers"]) {
    for (const Reader& layer : layers.members())
      table.layers.insert_or_assign(layer.key(), read_layer(layer));
  }
  if (const Reader list = root["resolutions"]) table.resolutions = read_resolutions(list);
  table.fixed_milliseconds = root["fixed_milliseconds"].number_or(0, kPositive);
  if (const Reader prediction = root["prediction"]) table.prediction = read_prediction(prediction);
  RETURN_IF_ERROR(root.status());
  return table;
}

Result<LatencyTable> LatencyTable::read(const std::filesystem::path& path) {
  return read_as(path, parse);
}

}  // namespace concertina::latency
