#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "base/try.h"
#include "common/accuracy.h"
#include "common/images.h"
#include "common/options.h"
#include "common/progress_bar.h"
#include "common/samples.h"
#include "quantization/calibrate.h"
#include "recipe/recipe.h"
#include "runtime/calibration.h"
#include "runtime/model_impl.h"
#include "workstation/quantize_report.h"
#include "workstation/scales.h"
#include "workstation/verbs.h"

namespace concertina::apps {
namespace {

constexpr int kUsualImages = 512;
constexpr int kUsualBatch = 16;  // tensors that are not fused take more memory

struct QuantizeOptions {
  std::string model;  ///< or a run directory
  DataOptions data;
  std::optional<int> images;
  quantization::RangeOptions range;
  std::string out;
  bool no_accuracy = false;
  bool json = false;
};

/// A run directory stands for its model and, unless they are given, the images of its recipe. No run may
/// replace the model meanwhile.
Result<std::optional<FolderLock>> resolve_run(QuantizeOptions& options) {
  const std::filesystem::path folder = options.model;
  std::error_code code;
  if (!std::filesystem::is_directory(folder, code)) {
    if (!options.data.data.empty()) return std::optional<FolderLock>();
    return Error{
        "a model does not say where its training images are; give --data DIR, or the model's run directory"};
  }
  options.model = (folder / "model.onnx").string();
  if (!std::filesystem::exists(options.model, code)) {
    return Error{fmt::format("'{}' has no model.onnx; give a run directory whose run has ended, or a model",
                             folder.string())};
  }
  ASSIGN_OR_RETURN(std::optional<FolderLock> lock, FolderLock::take(folder));
  if (!options.data.data.empty()) return lock;
  ASSIGN_OR_RETURN(const recipe::Recipe recipe, recipe::read_recipe(folder / "recipe.toml", {}));
  options.data.data = recipe.data.path.string();
  options.data.format = recipe.data.format;
  return lock;
}

/// What the images of the options show of all sub-nets.
Result<Calibrated> calibrate_model(const onnx::ModelFile& file, const QuantizeOptions& options,
                                   Progress& progress) {
  auto model = runtime::make_model(file);
  if (!model) return in_file(options.model, model.error());
  const EvaluatedModel evaluated = evaluated_model(*std::move(model), file);
  ASSIGN_OR_RETURN(const Samples samples,
                   Samples::read_training(options.data, evaluated, options.images, kUsualImages));
  const quantization::Images images{.count = samples.size(),
                                    .fill = [&](std::int64_t begin, int batch, std::vector<float>& values) {
                                      samples.fill(begin, batch, values);
                                    }};
  auto subnets = quantization::calibrate(
      file, images,
      {.range = options.range, .batch = options.data.batch, .threads = threads_of(options.data)}, progress);
  if (!subnets) return in_file(options.model, subnets.error());
  return Calibrated{.images = samples.size(), .subnets = *std::move(subnets), .measure = evaluated.measure()};
}

/// Of all sub-nets in one precision, on the validation images.
Result<std::vector<double>> accuracies(const onnx::ModelFile& file, Precision precision, DataOptions data,
                                       Progress& progress) {
  constexpr int kBatch = 64;
  ASSIGN_OR_RETURN(auto model, runtime::make_model(file, {.precision = precision}));
  data.split = "validation";
  data.batch = kBatch;
  ASSIGN_OR_RETURN(const auto accuracy, Accuracy::make(evaluated_model(std::move(model), file), data));
  progress.start(fmt::format("measure {}", name_of(precision)),
                 static_cast<std::int64_t>(file.subnets.size()));
  std::vector<double> shares;
  for (std::size_t i = 0; i < file.subnets.size(); ++i) {
    ASSIGN_OR_RETURN(const double share, accuracy->of(static_cast<int>(i)));
    shares.push_back(share);
    progress.update(static_cast<std::int64_t>(shares.size()), fmt::format("{:.2f} %", 100 * share));
  }
  return shares;
}

void take_scales(const Calibrated& calibrated, onnx::ModelFile& file) {
  for (std::size_t i = 0; i < file.subnets.size(); ++i)
    file.subnets[i].quantization = quantization::quantizations_of(calibrated.subnets[i]);
}

Status quantize(QuantizeOptions options) {
  ASSIGN_OR_RETURN(const auto lock, resolve_run(options));
  if (options.out.empty()) options.out = options.model;
  ASSIGN_OR_RETURN(onnx::ModelFile file, onnx::read_model(options.model));
  RETURN_IF_ERROR(check_writable(options.out));
  ProgressBar progress;
  std::vector<double> fp32, int8;
  const bool lacks_teacher = !file.taught.empty() && options.data.teacher.empty();
  const bool measures = !options.no_accuracy && !lacks_teacher;
  if (!options.no_accuracy && lacks_teacher)
    progress.message("quantize: accuracies are not measured; a distilled model needs --teacher for that");
  if (measures) {
    ASSIGN_OR_RETURN(fp32, accuracies(file, Precision::fp32, options.data, progress));
  }
  ASSIGN_OR_RETURN(Calibrated calibrated, calibrate_model(file, options, progress));
  take_scales(calibrated, file);
  if (measures) {
    ASSIGN_OR_RETURN(int8, accuracies(file, Precision::int8, options.data, progress));
  }
  for (std::size_t i = 0; i < fp32.size(); ++i) calibrated.accuracies.push_back({fp32[i], int8[i]});
  RETURN_IF_ERROR(onnx::write_model(options.out, file));
  if (options.json) {
    nlohmann::json report = to_json(file, calibrated);
    report["out"] = options.out;
    fmt::print("{}\n", report.dump(1));
    return {};
  }
  fmt::print("{}\nThe scales are in {}.\n", to_text(file, calibrated), options.out);
  return {};
}

void define_quantize(CLI::App* verb, QuantizeOptions& options) {
  verb->add_option("MODEL", options.model, "run directory, or dynamic model (.onnx)")->required();
  options.data.split = "train";
  options.data.batch = kUsualBatch;
  add_data_options(verb, options.data)->description("folder of the data set (default: that of the run)");
  add_validation_options(verb, options.data);
  in_range(verb->add_option("--images", options.images,
                            fmt::format("training images to look at (default: {}, or as many as there are)",
                                        kUsualImages)),
           1, 100'000'000);
  add_word_option(verb, "--method", options.range.method, quantization::kMethods,
                  "which values of a tensor 8 bits hold");
  add_teacher_option(verb, options.data);
  verb->add_flag("--no-accuracy", options.no_accuracy,
                 "does not measure the sub-nets in fp32 and int8 on the validation images");
  add_range_option(verb, "--percentile", options.range.percentile,
                   "percent of the values that are held, with --method percentile", 50, 100);
  add_out_option(verb, options.out, "model to write (default: MODEL itself)");
  add_json_option(verb, options.json, "print all tensors of all sub-nets as JSON");
}

}  // namespace

Status add_scales(const std::filesystem::path& run, int threads, Progress& progress) {
  QuantizeOptions options;
  options.model = run.string();
  options.data.threads = threads;
  options.data.split = "train";
  options.data.batch = kUsualBatch;
  ASSIGN_OR_RETURN(const auto lock, resolve_run(options));
  ASSIGN_OR_RETURN(onnx::ModelFile file, onnx::read_model(options.model));
  if (runtime::check_calibrated(file)) return {};
  ASSIGN_OR_RETURN(const Calibrated calibrated, calibrate_model(file, options, progress));
  take_scales(calibrated, file);
  return onnx::write_model(options.model, file);
}

void add_quantize_verb(CLI::App& program, Action& chosen) {
  add_verb<QuantizeOptions>(
      program, chosen, "quantize", "Finds the scales with which a model's tensors are held in 8 bits",
      "  concertina-train quantize runs/first\n"
      "  concertina-train quantize model.onnx --data images --method entropy --out int8.onnx\n",
      define_quantize, quantize);
}

}  // namespace concertina::apps
