#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/statistics.h"
#include "base/try.h"
#include "common/progress_bar.h"
#include "common/table.h"
#include "concertina/session.h"
#include "device/accuracy.h"
#include "device/model_options.h"
#include "device/subnet_choice.h"
#include "device/timing.h"
#include "device/verbs.h"

namespace concertina::apps {
namespace {

struct Options {
  std::string model;
  std::string subnet = "all";
  ModelOptions loading;
  DataOptions data;
  bool json = false;
};

struct Row {
  int subnet = 0;
  double milliseconds = 0;  ///< median, batch 1, one thread
  double top1 = 0;
};

void print_rows(const Model& model, const std::vector<Row>& rows, bool json) {
  std::vector<std::vector<std::string>> table = {
      {"sub-net", "widths", "parameters", "MMAC", "ms", "top-1", "trainer's top-1"}};
  nlohmann::json list = nlohmann::json::array();
  for (const Row& row : rows) {
    const SubnetInfo& info = model.subnets()[row.subnet];
    const std::string trained = info.test_accuracy ? fmt::format("{:.2f} %", 100 * *info.test_accuracy) : "-";
    table.push_back({std::to_string(row.subnet), to_string(info.subnet), std::to_string(info.parameters),
                     fmt::format("{:.2f}", static_cast<double>(info.macs) / 1e6),
                     fmt::format("{:.3f}", row.milliseconds), fmt::format("{:.2f} %", 100 * row.top1),
                     trained});
    list.push_back({{"subnet", row.subnet},
                    {"widths", to_string(info.subnet)},
                    {"parameters", info.parameters},
                    {"macs", info.macs},
                    {"milliseconds", row.milliseconds},
                    {"top1", row.top1}});
    if (info.test_accuracy) list.back()["trainer_test_top1"] = *info.test_accuracy;
  }
  fmt::print("{}", json ? list.dump(1) + "\n" : format_table(table));
}

Status eval(const Options& options) {
  ASSIGN_OR_RETURN(const auto model, Model::load(options.model, options.loading));
  ASSIGN_OR_RETURN(const std::vector<int> subnets, chosen_subnets(*model, options.subnet));
  ASSIGN_OR_RETURN(Accuracy accuracy, Accuracy::make(model, options.data));
  ASSIGN_OR_RETURN(Session single, Session::make(model));
  ProgressBar progress;
  progress.start("eval", static_cast<std::int64_t>(subnets.size()));
  std::vector<Row> rows;
  for (const int subnet : subnets) {
    ASSIGN_OR_RETURN(const double top1, accuracy.of(subnet));
    ASSIGN_OR_RETURN(const auto times, time_runs(single, subnet, {}));
    rows.push_back({.subnet = subnet, .milliseconds = quantile(times, 0.5), .top1 = top1});
    progress.update(static_cast<std::int64_t>(rows.size()), fmt::format("top-1 {:.2f} %", 100 * top1));
  }
  print_rows(*model, rows, options.json);
  return {};
}

}  // namespace

void add_eval(CLI::App& program, Action& chosen) {
  CLI::App* verb = add_verb(program, "eval",
                            "Run sub-nets over a data set: top-1, and median ms of one image on one thread",
                            "  concertina eval model.onnx --data /usr/share/datasets/fashion-mnist\n"
                            "  concertina eval model.onnx --data images --subnet 3 --json\n");
  const auto options = std::make_shared<Options>();
  verb->add_option("MODEL", options->model, "dynamic model (.onnx)")->required();
  add_data_options(verb, options->data)->required();
  add_split_options(verb, options->data);
  add_subnet_option(verb, options->subnet);
  add_model_options(verb, options->loading);
  verb->add_flag("--json", options->json, "print JSON");
  verb->callback([&chosen, options] { chosen = [options] { return eval(*options); }; });
}

}  // namespace concertina::apps
