#include <fmt/format.h>

#include <optional>

#include "base/file.h"
#include "base/machine.h"
#include "base/try.h"
#include "common/accuracy.h"
#include "common/progress_bar.h"
#include "device/options.h"
#include "device/precision_report.h"
#include "device/precision_search.h"
#include "device/timing.h"
#include "device/verbs.h"
#include "runtime/calibration.h"
#include "runtime/model_impl.h"

namespace concertina::apps {
namespace {

struct PrecisionsOptions {
  std::string model;
  std::string tuning;
  DataOptions data;
  std::optional<int> images;
  double max_loss = 0.5;  ///< points
  std::optional<std::int64_t> max_bytes;
  double seconds = 30;
  std::string out;
  bool json = false;
};

/// The model's validation images, or as many of them as the options say.
Result<std::unique_ptr<Accuracy>> read_validation(const onnx::ModelFile& file,
                                                  const PrecisionsOptions& options) {
  ASSIGN_OR_RETURN(auto model, runtime::make_model(file));
  const EvaluatedModel evaluated = evaluated_model(std::move(model), file);
  ASSIGN_OR_RETURN(auto accuracy, Accuracy::make(evaluated, options.data));
  if (!options.images) {
    ASSIGN_OR_RETURN(const double share, accuracy->of(0));
    RETURN_IF_ERROR(check_validation_accuracy(*evaluated.model, 0, share, accuracy->images()));
    return accuracy;
  }
  if (*options.images > accuracy->images()) {
    return Error{
        fmt::format("--images {}: the model has {} validation images", *options.images, accuracy->images())};
  }
  accuracy->keep(*options.images);
  return accuracy;
}

Status find_precisions(PrecisionsOptions options) {
  ASSIGN_OR_RETURN(const onnx::ModelFile file, onnx::read_model(options.model));
  RETURN_IF_ERROR(choose_out(options.out, options.model, ".precisions.json"));
  ASSIGN_OR_RETURN(runtime::Tuning tuning, runtime::Tuning::read(options.tuning));
  PrecisionSearchOptions search{.max_loss = options.max_loss / 100,
                                .max_bytes = options.max_bytes,
                                .seconds = options.seconds,
                                .threads = tuning.threads,
                                .batch = tuning.batch};
  ASSIGN_OR_RETURN(const auto layers, quantization::LayerPrecisions::make(file, std::move(tuning)));
  ProgressBar progress;
  warn_if_busy(std::min(search.threads, usable_cores()), progress);
  ASSIGN_OR_RETURN(const auto accuracy, read_validation(file, options));
  ASSIGN_OR_RETURN(const SearchedPrecisions found,
                   search_precisions(file, layers, *accuracy, search, progress));
  RETURN_IF_ERROR(write_file(options.out, found.tuning.to_json()));
  const EvaluatedModel kind{
      .model = {}, .validation = {}, .taught = file.taught, .label_maps = file.label_maps};
  print_precisions(file, layers, found, kind.measure(), options.out, options.json);
  return {};
}

void define(CLI::App* verb, PrecisionsOptions& options) {
  add_model_argument(verb, options.model);
  verb->add_option("--tuning", options.tuning, "table of concertina tune --precision auto for this model")
      ->type_name("FILE")
      ->required();
  add_data_options(verb, options.data)->required();
  add_validation_options(verb, options.data);
  add_teacher_option(verb, options.data);
  in_range(verb->add_option("--images", options.images,
                            "validation images to measure accuracies on (default: all)"),
           1, 100'000'000);
  add_range_option(verb, "--max-loss", options.max_loss,
                   "points of accuracy that a sub-net may lose against fp32", 0, 100);
  in_range(
      verb->add_option("--max-bytes", options.max_bytes, "of all packed weights in memory (default: any)"),
      std::int64_t{1}, std::int64_t{1} << 50);
  add_seconds_option(verb, options.seconds, "seconds to time the combinations", 0.01)->capture_default_str();
  add_out_option(verb, options.out, "table for --tuning (default: <model>.precisions.json)");
  add_json_option(verb, options.json);
}

}  // namespace

void add_precisions(CLI::App& program, Action& chosen) {
  add_verb<PrecisionsOptions>(
      program, chosen, "precisions", "Find the precisions for the layers of each sub-net on this machine",
      "  concertina tune model.onnx --precision auto\n"
      "  concertina precisions model.onnx --tuning model.tuning.json --data images\n"
      "  concertina bench model.onnx --precision auto --tuning model.precisions.json\n",
      define, find_precisions);
}

}  // namespace concertina::apps
