#include "report/comparison_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/try.h"
#include "report/line_plot.h"

namespace concertina::report {
namespace {

using Json = nlohmann::ordered_json;

/// What a kind of size is called, and the unit in which people read it.
struct SizeName {
  const char* key;
  const char* title;
  const char* axis;
  const char* unit;
  double scale;
};

const SizeName& name_of(SizeAxis by) {
  static constexpr SizeName kMacs{"macs", "multiply-accumulates", "MMAC", "M", 1e6};
  static constexpr SizeName kParameters{"parameters", "parameters", "thousand parameters", "k", 1e3};
  static constexpr SizeName kMilliseconds{"milliseconds", "milliseconds", "ms", "ms", 1};
  return by == SizeAxis::macs ? kMacs : by == SizeAxis::parameters ? kParameters : kMilliseconds;
}

std::string human(double size, SizeAxis by) {
  return fmt::format("{:.3g} {}", size / name_of(by).scale, name_of(by).unit);
}

Json to_json(const Spread& s) {
  if (s.count == 0) return nullptr;
  Json json = {{"mean", s.mean}, {"deviation", s.deviation}, {"seeds", s.count}};
  if (s.count > 1) json["half_width_95"] = half_width_95(s);
  return json;
}

Json to_json(const std::vector<Spread>& spreads) {
  Json list = Json::array();
  for (const Spread& s : spreads) list.push_back(to_json(s));
  return list;
}

Json to_json(const Gains& g) {
  return {{"at", to_json(g.at)},
          {"points", g.points},
          {"mean", to_json(g.mean)},
          {"interior_mean", to_json(g.interior_mean)},
          {"small_mean", to_json(g.small_mean)},
          {"large_mean", to_json(g.large_mean)},
          {"least", g.least}};
}

Json to_json(const MeasuredRun& run) {
  Json subnets = Json::array(), costs = Json::array();
  for (const MeasuredSubnet& s : run.subnets) {
    subnets.push_back({{"widths", to_string(s.subnet)},
                       {"macs", s.macs},
                       {"parameters", s.parameters},
                       {"accuracy", s.accuracy},
                       {"validation_accuracy", s.validation_accuracy}});
    if (s.milliseconds > 0) subnets.back()["milliseconds"] = s.milliseconds;
  }
  for (const StageCost& c : run.costs) {
    costs.push_back({{"stage", c.stage},
                     {"images", c.images},
                     {"macs", c.macs},
                     {"seconds", c.seconds},
                     {"waited_seconds", c.waited_seconds},
                     {"device", c.device}});
  }
  return {{"arm", run.arm}, {"seed", run.seed}, {"subnets", subnets}, {"costs", costs}};
}

MeasuredRun read_run(const nlohmann::json& json) {
  MeasuredRun run{.arm = json.at("arm"), .seed = json.at("seed"), .subnets = {}, .costs = {}};
  for (const auto& one : json.at("subnets")) {
    run.subnets.push_back({.subnet = parse_subnet(one.at("widths").get<std::string>()).value(),
                           .macs = one.at("macs"),
                           .parameters = one.at("parameters"),
                           .accuracy = one.at("accuracy"),
                           .milliseconds = one.value("milliseconds", 0.0),
                           .validation_accuracy = one.at("validation_accuracy")});
  }
  for (const auto& cost : json.at("costs")) {
    run.costs.push_back({.stage = cost.at("stage"),
                         .images = cost.at("images"),
                         .macs = cost.at("macs"),
                         .seconds = cost.at("seconds"),
                         .device = cost.at("device"),
                         .waited_seconds = cost.value("waited_seconds", 0.0)});
  }
  return run;
}

MeasuredComparison read_json(const nlohmann::json& json) {
  MeasuredComparison comparison{.runs = {},
                                .references = json.at("references"),
                                .macs_grid = json.at("macs_grid"),
                                .parameter_grid = json.at("parameter_grid"),
                                .measure = json.value("measure", "top-1"),
                                .epoch_macs = json.at("epoch_macs")};
  if (json.contains("milliseconds_grid")) {
    comparison.milliseconds_grid = json.at("milliseconds_grid").get<std::vector<double>>();
    comparison.milliseconds_of = json.at("milliseconds_of");
  }
  for (const auto& run : json.at("runs")) comparison.runs.push_back(read_run(run));
  return comparison;
}

/// `seeds`: how many the arm has; says so if fewer reach the size.
std::string percent(const Spread& s, int seeds) {
  if (s.count == 0) return "-";
  const std::string spread = s.count > 1 ? fmt::format(" ± {:.2f}", 100 * s.deviation) : "";
  const std::string some = s.count < seeds ? fmt::format(" ({} of {} seeds)", s.count, seeds) : "";
  return fmt::format("{:.2f}{}{}", 100 * s.mean, spread, some);
}

std::string points(double share) {
  return fmt::format("{:+.2f}", 100 * share);
}

/// With its 95 % interval.
std::string points(const Spread& s) {
  if (s.count == 0) return "-";
  return points(s.mean) + (s.count > 1 ? fmt::format(" ± {:.2f}", 100 * half_width_95(s)) : "");
}

std::string row(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const std::string& cell : cells) text += " " + cell + " |";
  return text + "\n";
}

std::string rule(std::size_t columns) {
  std::string text = "|";
  for (std::size_t i = 0; i < columns; ++i) text += i == 0 ? "---|" : "---:|";
  return text + "\n";
}

/// The accuracy of every arm at every size.
std::string accuracy_table(const MeasuredComparison& comparison, SizeAxis by) {
  std::vector<std::string> head = {comparison.measure + ", %"};
  for (const double size : grid_of(comparison, by)) head.push_back(human(size, by));
  head.insert(head.end(), {"area", "validation"});
  std::string text = row(head) + rule(head.size());
  for (const std::string& arm : arms(comparison)) {
    std::vector<std::string> cells = {arm};
    const int all = seeds(comparison, arm);
    for (const Spread& s : accuracies(comparison, arm, by)) cells.push_back(percent(s, all));
    cells.push_back(percent(area(comparison, arm, by), all));
    cells.push_back(percent(validation_area(comparison, arm, by), all));
    text += row(cells);
  }
  return text;
}

/// What every other arm gains over a reference.
std::string gain_table(const MeasuredComparison& comparison, const std::string& reference, SizeAxis by) {
  const std::size_t grid = grid_of(comparison, by).size();
  const std::vector<std::string> head = {fmt::format("gain over {}", reference),
                                         "mean",
                                         "interior",
                                         "small sizes",
                                         "large sizes",
                                         "least",
                                         "sizes",
                                         "seeds"};
  std::string text = row(head) + rule(head.size());
  for (const std::string& arm : arms(comparison)) {
    const Gains g = gains(comparison, arm, reference, by);
    if (arm == reference || g.points == 0) continue;
    text += row({arm, points(g.mean), points(g.interior_mean), points(g.small_mean), points(g.large_mean),
                 points(g.least), fmt::format("{} of {}", g.points, grid), fmt::format("{}", g.mean.count)});
  }
  return text;
}

/// The tables for one kind of size.
std::string tables(const MeasuredComparison& comparison, SizeAxis by) {
  std::string text = accuracy_table(comparison, by);
  for (const std::string& reference : comparison.references)
    text += "\n" + gain_table(comparison, reference, by);
  return text;
}

/// Of each arm, mean over its seeds: in epochs of the full network, by stage.
std::string cost_table(const MeasuredComparison& comparison) {
  std::vector<std::string> stages;
  for (const MeasuredRun& run : comparison.runs) {
    for (const StageCost& c : run.costs) {
      if (std::find(stages.begin(), stages.end(), c.stage) == stages.end()) stages.push_back(c.stage);
    }
  }
  std::vector<std::string> head = {"cost, epochs of the full network"};
  head.insert(head.end(), stages.begin(), stages.end());
  head.insert(head.end(), {"all", "image passes", "seconds"});
  std::string text = row(head) + rule(head.size());
  for (const std::string& arm : arms(comparison)) {
    std::vector<double> images, seconds, epochs;
    std::vector<std::vector<double>> by_stage(stages.size());
    for (const MeasuredRun& run : comparison.runs) {
      if (run.arm != arm) continue;
      double run_images = 0, run_seconds = 0, run_macs = 0;
      for (const StageCost& c : run.costs) {
        const auto place = std::find(stages.begin(), stages.end(), c.stage) - stages.begin();
        by_stage[place].push_back(c.macs / comparison.epoch_macs);
        run_images += static_cast<double>(c.images);
        run_seconds += c.seconds;
        run_macs += c.macs;
      }
      images.push_back(run_images);
      seconds.push_back(run_seconds);
      epochs.push_back(run_macs / comparison.epoch_macs);
    }
    std::vector<std::string> cells = {arm};
    for (const auto& values : by_stage) cells.push_back(fmt::format("{:.2f}", spread(values).mean));
    cells.push_back(fmt::format("{:.2f}", spread(epochs).mean));
    cells.push_back(fmt::format("{:.2f} M", spread(images).mean / 1e6));
    cells.push_back(fmt::format("{:.0f}", spread(seconds).mean));
    text += row(cells);
  }
  return text;
}

/// Says so if the comparison is not complete.
std::string missing_runs(const MeasuredComparison& comparison) {
  if (comparison.missing.empty()) return {};
  std::vector<std::string> names;
  for (const MissingRun& run : comparison.missing)
    names.push_back(fmt::format("{} seed {}", run.arm, run.seed));
  return fmt::format("**{} of {} runs {} missing: {}.**\n\n", names.size(),
                     names.size() + comparison.runs.size(), names.size() == 1 ? "is" : "are",
                     fmt::join(names, ", "));
}

LinePlot plot(const MeasuredComparison& comparison, SizeAxis by) {
  LinePlot result{.title = fmt::format("Accuracy over {}", name_of(by).title),
                  .x_label = name_of(by).axis,
                  .y_label = comparison.measure + " on the test images, %",
                  .series = {}};
  const std::vector<double>& grid = grid_of(comparison, by);
  for (const std::string& arm : arms(comparison)) {
    PlotSeries& series = result.series.emplace_back(PlotSeries{arm, {}});
    const auto spreads = accuracies(comparison, arm, by);
    for (std::size_t i = 0; i < grid.size(); ++i) {
      if (spreads[i].count == 0) continue;
      series.points.push_back(
          {grid[i] / name_of(by).scale, 100 * spreads[i].mean, 100 * spreads[i].deviation});
    }
  }
  return result;
}

}  // namespace

std::string to_json(const MeasuredComparison& comparison) {
  Json root = {{"references", comparison.references},
               {"measure", comparison.measure},
               {"epoch_macs", comparison.epoch_macs},
               {"macs_grid", comparison.macs_grid},
               {"parameter_grid", comparison.parameter_grid}};
  if (!comparison.milliseconds_grid.empty()) {
    root["milliseconds_grid"] = comparison.milliseconds_grid;
    root["milliseconds_of"] = comparison.milliseconds_of;
  }
  for (const std::string& arm : arms(comparison)) {
    for (const SizeAxis by : sizes(comparison)) {
      Json& of_size = root["arms"][arm][name_of(by).key];
      of_size = {{"accuracies", to_json(accuracies(comparison, arm, by))},
                 {"area", to_json(area(comparison, arm, by))},
                 {"validation_area", to_json(validation_area(comparison, arm, by))}};
      for (const std::string& reference : comparison.references) {
        if (arm != reference) of_size["gains"][reference] = to_json(gains(comparison, arm, reference, by));
      }
    }
  }
  for (const MeasuredRun& run : comparison.runs) root["runs"].push_back(to_json(run));
  for (const MissingRun& run : comparison.missing)
    root["missing"].push_back({{"arm", run.arm}, {"seed", run.seed}});
  return root.dump(1) + "\n";
}

Result<MeasuredComparison> read_comparison(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string text, read_file(path));
  try {
    return read_json(nlohmann::json::parse(text));
  } catch (const std::exception&) {
    return Error{fmt::format("'{}' is no comparison.json, or it is damaged", path.string())};
  }
}

std::string to_markdown(const MeasuredComparison& comparison) {
  std::string text = missing_runs(comparison);
  text += fmt::format(
      "Accuracies are {} on the test images, in per cent. "
      "Between two sub-nets they are interpolated in log size. "
      "The sizes were fixed before training. ± is the standard deviation over seeds. Device: {}.\n\n",
      comparison.measure, fmt::join(devices(comparison), "; "));
  text +=
      "Gains are differences between two arms in points, seed by seed, over the sizes that all seeds of both reach. "
      "Their ± is half the 95 % interval of the mean over the seeds.\n\n"
      "| column | what it is |\n|---|---|\n"
      "| `area` | mean over log size |\n"
      "| `validation` | the same on the validation images; choose among arms by it |\n"
      "| `mean` | mean gain over the sizes |\n"
      "| `interior` | the same without the smallest and the largest size |\n"
      "| `small sizes`, `large sizes` | mean gain over the smallest and the largest third of the sizes |\n"
      "| `least` | gain at the size where it is least |\n"
      "| `sizes`, `seeds` | how many the gains are over |\n\n";
  text += "At equal MACs:\n\n" + tables(comparison, SizeAxis::macs);
  text += "\nAt equal parameters:\n\n" + tables(comparison, SizeAxis::parameters);
  if (!comparison.milliseconds_grid.empty()) {
    text += fmt::format("\nAt equal milliseconds, {}:\n\n", comparison.milliseconds_of) +
            tables(comparison, SizeAxis::milliseconds);
  }
  return text + "\n" + cost_table(comparison);
}

std::string to_svg(const MeasuredComparison& comparison) {
  std::vector<LinePlot> plots;
  for (const SizeAxis by : sizes(comparison)) plots.push_back(plot(comparison, by));
  return to_svg(plots);
}

}  // namespace concertina::report
