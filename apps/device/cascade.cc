#include <fmt/format.h>

#include <memory>
#include <optional>

#include "base/file.h"
#include "base/thread_pool.h"
#include "base/try.h"
#include "cascade/choose.h"
#include "common/accuracy.h"
#include "common/images.h"
#include "common/progress_bar.h"
#include "control/subnet_profiles.h"
#include "device/cascade_report.h"
#include "device/look_logits.h"
#include "device/options.h"
#include "device/verbs.h"
#include "profile/measure_subnets.h"

namespace concertina::apps {
namespace {

using cascade::Cascade;
using cascade::ConfidenceMeasure;
using cascade::LabelledLogits;

constexpr double kMeasureSeconds = 5;

struct CascadeOptions {
  std::string model;
  ModelOptions loading;
  DataOptions data;
  std::string latency_table;
  std::string like = "0";
  std::string measure = "auto";
  cascade::CascadeGoal goal;
  cascade::FrontOptions front;
  int folds = 5;
  std::string out;
  std::string use;
  CascadeMeasureOptions measuring;
  bool json = false;
};

Result<std::vector<double>> run_times(const std::shared_ptr<const Model>& model,
                                      const CascadeOptions& options, Progress& progress) {
  latency::LatencyTable table;
  if (options.latency_table.empty()) {
    const profile::MeasureOptions measure{.seconds = kMeasureSeconds};
    ASSIGN_OR_RETURN(table, profile::measure_subnets(model, measure, SteadyClock(), progress));
  } else {
    ASSIGN_OR_RETURN(table, latency::LatencyTable::read(options.latency_table));
  }
  ASSIGN_OR_RETURN(const auto sizes, control::profiles_from_table(*model, table, 1, 1));
  std::vector<double> ms;
  for (const control::SubnetProfile& size : sizes) ms.push_back(size.times.median());
  return ms;
}

Result<int> one_subnet(const Model& model, const std::string& choice) {
  ASSIGN_OR_RETURN(const std::vector<int> subnets, chosen_subnets(model, choice));
  if (subnets.size() != 1) return Error{"--like names one sub-net"};
  return subnets[0];
}

/// Of the measures of confidence that are asked for, the one that does best on images that it was not chosen
/// on.
Result<cascade::CascadeChoice> best_choice(const cascade::LabelledLogits& data, CascadeOptions options,
                                           Progress& progress) {
  ThreadPool threads(threads_of(options.data));
  std::optional<cascade::CascadeChoice> best;
  const bool any = options.measure == "auto";
  progress.start("choose", any ? static_cast<std::int64_t>(cascade::kConfidenceMeasures.size()) : 1);
  for (std::size_t i = 0; i < cascade::kConfidenceMeasures.size(); ++i) {
    const auto measure = static_cast<cascade::ConfidenceMeasure>(i);
    if (!any && options.measure != cascade::name_of(measure)) continue;
    options.front.measure = measure;
    ASSIGN_OR_RETURN(auto choice,
                     cascade::choose_cascade(data, options.goal, options.front, options.folds, threads));
    const auto& promise = choice.cascade.promise;
    const bool better = !best || (options.goal.ms ? promise.accuracy > best->cascade.promise.accuracy
                                                  : promise.ms < best->cascade.promise.ms);
    progress.update(any ? static_cast<std::int64_t>(i) + 1 : 1,
                    fmt::format("{}: {:.2f} % in {:.4f} ms", cascade::name_of(measure),
                                100 * promise.accuracy, promise.ms));
    if (better) best = std::move(choice);
  }
  return *std::move(best);
}

Status choose(CascadeOptions options) {
  if (options.data.split != "validation") {
    return Error{
        fmt::format("a cascade is chosen on the validation images; leave --split {} out, "
                    "or name the cascade to measure with --use",
                    options.data.split)};
  }
  RETURN_IF_ERROR(choose_out(options.out, options.model, ".cascade.json"));
  ProgressBar progress;
  ASSIGN_OR_RETURN(const EvaluatedModel evaluated, load_evaluated(options.model, options.loading));
  const auto& model = evaluated.model;
  RETURN_IF_ERROR(check_classifier(*model));
  ASSIGN_OR_RETURN(options.goal.reference, one_subnet(*model, options.like));
  ASSIGN_OR_RETURN(const data::ImageSet set, read_images(options.data, evaluated));
  if (set.size() < 2 * options.folds) return Error{"there are too few images to choose a cascade on"};
  ASSIGN_OR_RETURN(Session session, Session::make(model, {.threads = threads_of(options.data),
                                                          .max_batch = options.data.batch}));
  ASSIGN_OR_RETURN(cascade::LabelledLogits data, look_at(session, set, options.front.mirror, progress));
  RETURN_IF_ERROR(check_validation_images(*model, data));
  ASSIGN_OR_RETURN(const std::vector<double> ms, run_times(model, options, progress));
  for (cascade::LabelledLogits::Column& column : data.columns) column.ms = ms[column.look.subnet];
  const std::vector<Calibration> calibrations = calibrations_of(data);
  ASSIGN_OR_RETURN(auto choice, best_choice(data, options, progress));
  choice.cascade.model = cascade::fingerprint(*model);
  choice.cascade.precision = model->precision();
  RETURN_IF_ERROR(write_file(options.out, choice.cascade.to_json()));
  print_choice(choice, calibrations, options.out, options.json);
  return {};
}

Status measure(const CascadeOptions& options) {
  ProgressBar progress;
  ASSIGN_OR_RETURN(const EvaluatedModel evaluated, load_evaluated(options.model, options.loading));
  const auto& model = evaluated.model;
  RETURN_IF_ERROR(check_classifier(*model));
  ASSIGN_OR_RETURN(const cascade::Cascade cascade, cascade::Cascade::read(options.use));
  RETURN_IF_ERROR(cascade.check(*model));
  ASSIGN_OR_RETURN(const data::ImageSet set, read_images(options.data, evaluated));
  std::vector<control::SubnetProfile> sizes;
  if (options.measuring.deadline_ms) {
    ASSIGN_OR_RETURN(sizes, control::subnet_profiles(model, {.latency_table = options.latency_table}));
  }
  ASSIGN_OR_RETURN(Session session, Session::make(model));
  ASSIGN_OR_RETURN(const MeasuredCascade measured,
                   measure_cascade(session, cascade, std::move(sizes), set, options.measuring, progress));
  print_measured(measured, cascade, options.measuring, split_name(options.data), options.json);
  return {};
}

/// What decides which cascade is chosen.
void add_choice_options(CLI::App* verb, CascadeOptions& options) {
  verb->add_option("--like", options.like, "sub-net whose accuracy the cascade must reach")
      ->capture_default_str();
  add_range_option(verb, "--tolerance", options.goal.tolerance,
                   "accuracy that may be lost; 0.01 is one point", 0.0, 1.0);
  auto* accuracy =
      verb->add_option("--accuracy", options.goal.accuracy, "instead: the accuracy to reach, 0 .. 1")
          ->check(CLI::Range(0.0, 1.0));
  verb->add_option("--ms", options.goal.ms,
                   "instead: at most this mean time, in ms; takes the most accurate cascade")
      ->check(CLI::PositiveNumber)
      ->excludes(accuracy);
  add_range_option(verb, "--spare-errors", options.goal.spare_errors,
                   "standard errors of safety; 1.64 reaches the accuracy in 95 % of cases", 0.0, 10.0);
  add_word_option(verb, "--confidence", options.measure, {"auto", "probability", "margin", "entropy"},
                  "measure of confidence; auto takes the best one");
  add_range_option(verb, "--stages", options.front.max_stages, "at most", 1, 4);
  verb->add_flag("--mirror,!--no-mirror", options.front.mirror,
                 "stages may look at the mirror image (the default)");
  verb->add_flag("--blend,!--no-blend", options.front.blend,
                 "a stage adds the logits of the stages before it (the default)");
  add_range_option(verb, "--folds", options.folds, "parts of the images for cross-validation", 2, 50);
  add_out_option(verb, options.out, "file for the cascade (default: <model>.cascade.json)");
}

/// What decides how one is measured.
void add_measure_options(CLI::App* verb, CascadeOptions& options) {
  verb->add_option("--use", options.use, "measure this cascade instead of choosing one")->type_name("FILE");
  add_range_option(verb, "--rounds", options.measuring.rounds, "with --use: passes over all images", 1, 1000);
  add_range_option(verb, "--block", options.measuring.block,
                   "with --use: images before cascade and sub-net take turns", 1, 10'000);
  verb->add_option("--deadline", options.measuring.deadline_ms, "with --use: deadline of every image, in ms")
      ->check(CLI::PositiveNumber);
}

void define(CLI::App* verb, CascadeOptions& options) {
  add_model_argument(verb, options.model);
  add_data_options(verb, options.data)->required();
  add_split_options(verb, options.data);
  add_teacher_option(verb, options.data);
  add_model_options(verb, options.loading);
  add_cache_option(verb, options.loading);
  verb->add_option("--latency-table", options.latency_table,
                   "table of concertina profile; without it, the sub-nets are measured now")
      ->type_name("FILE");
  add_choice_options(verb, options);
  add_measure_options(verb, options);
  add_json_option(verb, options.json);
}

}  // namespace

void add_cascade(CLI::App& program, Action& chosen) {
  add_verb<CascadeOptions>(
      program, chosen, "cascade",
      "Small sub-net first, larger ones only where it is unsure: choose a cascade, or measure one",
      "  concertina cascade model.onnx --data images\n"
      "  concertina cascade model.onnx --data images --tolerance 0.005 --out fast.json\n"
      "  concertina cascade model.onnx --data images --split test --use fast.json\n",
      define,
      [](const CascadeOptions& options) { return options.use.empty() ? choose(options) : measure(options); });
}

}  // namespace concertina::apps
