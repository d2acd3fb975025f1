#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/quantile.h"
#include "base/try.h"
#include "common/progress_bar.h"
#include "common/table.h"
#include "concertina/session.h"
#include "data/read.h"
#include "device/model_options.h"
#include "device/pixels.h"
#include "device/subnet_choice.h"
#include "device/timing.h"
#include "device/verbs.h"

namespace concertina::apps {
namespace {

struct Options {
  std::string model;
  std::string data;
  std::string format = "auto";
  std::string split = "test";
  std::string subnet = "all";
  ModelOptions loading;
  int threads = 0;
  int batch = 64;
  bool json = false;
};

struct Row {
  int subnet = 0;
  double milliseconds = 0;  ///< median, batch 1, one thread
  double top1 = 0;
};

Result<ImageSet> read_images(const Options& options, const Model& model, int threads) {
  DatasetSpec spec{.root = options.data, .image_size = 0};
  if (options.format == "auto") {
    CONCERTINA_ASSIGN(spec.format, detect_format(options.data));
  } else {
    CONCERTINA_ASSIGN(spec.format, parse_format(options.format));
  }
  const ImageInfo& wanted = model.image();
  if (spec.format == Format::image_folder && wanted.height == wanted.width) spec.image_size = wanted.height;
  CONCERTINA_ASSIGN(ImageSet set,
                    read_image_set(spec, options.split == "test" ? Split::test : Split::train, threads));
  if (set.channels != wanted.channels || set.height != wanted.height || set.width != wanted.width) {
    return Error{fmt::format("the images of '{}' are {}x{}x{}, but the model takes {}x{}x{}", options.data,
                             set.channels, set.height, set.width, wanted.channels, wanted.height,
                             wanted.width)};
  }
  if (set.classes.size() != model.classes().size()) {
    return Error{fmt::format("'{}' has {} classes, but the model tells {} apart", options.data,
                             set.classes.size(), model.classes().size())};
  }
  return set;
}

Result<double> top1(Session& session, int subnet, const ImageSet& set, int max_batch) {
  const std::size_t classes = session.model().classes().size(), size = set.image_bytes();
  std::vector<float> images(static_cast<std::size_t>(max_batch) * size);
  std::vector<float> logits(static_cast<std::size_t>(max_batch) * classes);
  std::int64_t correct = 0;
  for (std::int64_t begin = 0; begin < set.size(); begin += max_batch) {
    const int batch = static_cast<int>(std::min<std::int64_t>(max_batch, set.size() - begin));
    const auto n = static_cast<std::size_t>(batch);
    for (std::size_t i = 0; i < n; ++i) {
      normalize_pixels(set.image(begin + static_cast<std::int64_t>(i)), session.model().image(),
                       std::span(images).subspan(i * size, size));
    }
    CONCERTINA_TRY(
        session.run(std::span(images).first(n * size), batch, subnet, std::span(logits).first(n * classes)));
    for (std::size_t i = 0; i < n; ++i) {
      const float* row = logits.data() + i * classes;
      const auto best = std::max_element(row, row + classes) - row;
      correct += best == set.labels[static_cast<std::size_t>(begin) + i] ? 1 : 0;
    }
  }
  return static_cast<double>(correct) / static_cast<double>(set.size());
}

void print_rows(const Model& model, const std::vector<Row>& rows, bool json) {
  std::vector<std::vector<std::string>> table = {
      {"sub-net", "widths", "parameters", "MMAC", "ms", "top-1", "trainer's top-1"}};
  nlohmann::json list = nlohmann::json::array();
  for (const Row& row : rows) {
    const SubnetInfo& info = model.subnets()[static_cast<std::size_t>(row.subnet)];
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
  const int threads = options.threads > 0
                          ? options.threads
                          : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  CONCERTINA_ASSIGN(const auto model, Model::load(options.model, options.loading));
  CONCERTINA_ASSIGN(const std::vector<int> subnets, chosen_subnets(*model, options.subnet));
  CONCERTINA_ASSIGN(const ImageSet set, read_images(options, *model, threads));
  CONCERTINA_ASSIGN(Session session, Session::make(model, {.threads = threads, .max_batch = options.batch}));
  CONCERTINA_ASSIGN(Session single, Session::make(model));
  ProgressBar progress;
  progress.start("eval", static_cast<std::int64_t>(subnets.size()));
  std::vector<Row> rows;
  for (const int subnet : subnets) {
    CONCERTINA_ASSIGN(const double accuracy, top1(session, subnet, set, options.batch));
    CONCERTINA_ASSIGN(const auto times, time_runs(single, subnet, {}));
    rows.push_back({.subnet = subnet, .milliseconds = quantile(times, 0.5), .top1 = accuracy});
    progress.update(static_cast<std::int64_t>(rows.size()), fmt::format("top-1 {:.2f} %", 100 * accuracy));
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
  verb->add_option("--data", options->data, "folder of the data set")->required()->type_name("DIR");
  verb->add_option("--format", options->format, "idx, cifar10, image_folder or auto")->capture_default_str();
  verb->add_option("--split", options->split, "test or train")
      ->check(CLI::IsMember({"test", "train"}))
      ->capture_default_str();
  add_subnet_option(verb, options->subnet);
  add_model_options(verb, options->loading);
  verb->add_option("--threads", options->threads, "0 = one per processor")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  verb->add_option("--batch", options->batch, "images a run")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  verb->add_flag("--json", options->json, "print JSON");
  verb->callback([&chosen, options] { chosen = [options] { return eval(*options); }; });
}

}  // namespace concertina::apps
