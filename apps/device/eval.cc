#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/statistics.h"
#include "base/try.h"
#include "common/accuracy.h"
#include "common/progress_bar.h"
#include "common/table.h"
#include "concertina/session.h"
#include "device/options.h"
#include "device/timing.h"
#include "device/verbs.h"

namespace concertina::apps {
namespace {

struct EvalOptions {
  std::string model;
  std::string subnet = "all";
  ModelOptions loading;
  DataOptions data;
  bool json = false;
};

struct EvalRow {
  int subnet = 0;
  double milliseconds = 0;  ///< median, batch 1, one thread
  double accuracy = 0;
};

/// The trainer has measured nothing on training images.
Table table_of(const EvaluatedModel& evaluated, const DataOptions& data, const std::vector<EvalRow>& rows) {
  const Model& model = *evaluated.model;
  const bool trained = data.split == "train";
  std::vector<Table::Column> columns = {
      {"sub-net", "subnet"},
      {"widths", "widths"},
      {"parameters", "parameters"},
      {"MMAC", "macs"},
      {"ms", "milliseconds"},
      {fmt::format("{} on {}", evaluated.measure(), split_name(data)), "accuracy"}};
  if (!trained) columns.push_back({"the trainer's", fmt::format("trainer_{}_accuracy", data.split)});
  Table table(std::move(columns));
  for (const EvalRow& row : rows) {
    const SubnetInfo& info = model.subnets()[row.subnet];
    std::vector<Table::Cell> cells = {whole(row.subnet),          words(to_string(info.subnet)),
                                      whole(info.parameters),     millions(info.macs),
                                      fixed(row.milliseconds, 3), percent(row.accuracy)};
    if (!trained) cells.push_back(percent_or_dash(trainer_accuracy(info, data)));
    table.add(std::move(cells));
  }
  return table;
}

Status eval(const EvalOptions& options) {
  ASSIGN_OR_RETURN(const EvaluatedModel evaluated, load_evaluated(options.model, options.loading));
  const auto& model = evaluated.model;
  ASSIGN_OR_RETURN(const std::vector<int> subnets, chosen_subnets(*model, options.subnet));
  ASSIGN_OR_RETURN(const auto accuracy, Accuracy::make(evaluated, options.data));
  ASSIGN_OR_RETURN(Session single, Session::make(model));
  ProgressBar progress;
  progress.start("eval", static_cast<std::int64_t>(subnets.size()));
  std::vector<EvalRow> rows;
  for (const int subnet : subnets) {
    ASSIGN_OR_RETURN(const double share, accuracy->of(subnet));
    if (options.data.split == "validation")
      RETURN_IF_ERROR(check_validation_accuracy(*model, subnet, share, accuracy->images()));
    ASSIGN_OR_RETURN(const auto times, time_runs(single, subnet, {}));
    rows.push_back({.subnet = subnet, .milliseconds = quantile(times, 0.5), .accuracy = share});
    progress.update(static_cast<std::int64_t>(rows.size()),
                    fmt::format("{} {:.2f} %", evaluated.measure(), 100 * share));
  }
  const Table table = table_of(evaluated, options.data, rows);
  fmt::print("{}", options.json ? table.json().dump(1) + "\n" : table.text());
  return {};
}

void define(CLI::App* verb, EvalOptions& options) {
  add_model_argument(verb, options.model);
  add_data_options(verb, options.data)->required();
  add_split_options(verb, options.data);
  add_teacher_option(verb, options.data);
  add_subnet_option(verb, options.subnet);
  add_model_options(verb, options.loading);
  add_cache_option(verb, options.loading);
  add_json_option(verb, options.json);
}

}  // namespace

void add_eval(CLI::App& program, Action& chosen) {
  add_verb<EvalOptions>(
      program, chosen, "eval",
      "Run sub-nets over a data set: top-1, mean IoU or agreement, and median ms of one image on one thread",
      "  concertina eval model.onnx --data /usr/share/datasets/fashion-mnist\n"
      "  concertina eval model.onnx --data /usr/share/datasets/fashion-mnist --split test\n"
      "  concertina eval model.onnx --data images --subnet 3 --json\n",
      define, eval);
}

}  // namespace concertina::apps
