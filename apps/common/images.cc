#include "common/images.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/file.h"
#include "base/machine.h"
#include "base/try.h"
#include "common/agreement.h"
#include "common/options.h"
#include "data/image_set.h"
#include "runtime/model_impl.h"

namespace concertina::apps {
namespace {

/// The images `indices` of a set.
data::ImageSet pick(const data::ImageSet& set, const std::vector<std::int64_t>& indices) {
  data::ImageSet some{.channels = set.channels,
                      .height = set.height,
                      .width = set.width,
                      .pixels = {},
                      .labels = {},
                      .classes = set.classes};
  some.pixels.reserve(indices.size() * set.image_bytes());
  for (const std::int64_t i : indices) {
    const auto image = set.image(i);
    some.pixels.insert(some.pixels.end(), image.begin(), image.end());
    some.labels.push_back(set.labels[i]);
    if (set.maps.empty()) continue;
    const auto map = set.map(i);
    some.maps.insert(some.maps.end(), map.begin(), map.end());
  }
  return some;
}

/// How many the validation images are and by which seed they were drawn: what the file says, or else the
/// options.
Result<onnx::ValidationImages> find_validation(const EvaluatedModel& model, const DataOptions& options) {
  if (!model.validation && options.validation_images && options.validation_seed) {
    return onnx::ValidationImages{.count = *options.validation_images,
                                  .among = 0,
                                  .seed = *options.validation_seed,
                                  .labels = 0,
                                  .by_class = false};
  }
  if (!model.validation) {
    return Error{
        fmt::format("the model's file does not say which training images are its validation images; give its "
                    "recipe's data.validation as --validation-images and its seed as --validation-seed{}",
                    options.split == "validation" ? ", or choose --split test" : "")};
  }
  const onnx::ValidationImages& known = *model.validation;
  if (options.validation_images.value_or(known.count) == known.count &&
      options.validation_seed.value_or(known.seed) == known.seed)
    return known;
  return Error{
      fmt::format("the model's file says that its validation images are {} by seed {}; "
                  "leave --validation-images and --validation-seed out",
                  known.count, known.seed)};
}

/// The same as validation_indices(). Fails, too, if the labels show other images than those that the model
/// was made with.
Result<std::vector<std::int64_t>> known_validation_indices(std::span<const std::int32_t> labels,
                                                           const EvaluatedModel& model,
                                                           const DataOptions& options) {
  ASSIGN_OR_RETURN(auto indices, validation_indices(labels, model, options));
  if (model.validation && data::hash_of_labels(labels, indices) != model.validation->labels) {
    return Error{
        fmt::format("the training images of '{}' are not those that the model was made with: "
                    "other labels, classes or another order",
                    options.data)};
  }
  return indices;
}

/// Folders of images count their classes by name, so others would give silently wrong labels.
Status check_classes(const DataOptions& options, const data::ImageSet& set, data::Format format,
                     const Model& model) {
  if (set.classes.size() != model.classes().size()) {
    return Error{fmt::format("'{}' has {} classes, but the model tells {} apart", options.data,
                             set.classes.size(), model.classes().size())};
  }
  if (format != data::Format::image_folder) return {};
  for (std::size_t i = 0; i < set.classes.size(); ++i) {
    if (set.classes[i] == model.classes()[i]) continue;
    return Error{
        fmt::format("'{}' has a class '{}' where the model has '{}'; name its folders as in training",
                    options.data, set.classes[i], model.classes()[i])};
  }
  return {};
}

}  // namespace

Status check_classifier(const Model& model) {
  if (model.inputs().size() > 1) {
    return Error{
        fmt::format("the model takes {} inputs, but a data set or an image file gives one; use a Session",
                    model.inputs().size())};
  }
  if (!model.classes().empty()) return {};
  const TensorInfo& output = model.outputs()[0];
  if (output.height * output.width > 1) {
    return Error{
        fmt::format("the model's output '{}' is a map, {}x{}x{}, and this command takes models that tell "
                    "the classes of whole images apart; concertina eval measures others",
                    output.name, output.channels, output.height, output.width)};
  }
  return Error{
      fmt::format("the model's output '{}' of {} values tells no classes apart; if they are scores of "
                  "classes, distill the network with distill.losses = [\"distribution\"]",
                  output.name, output.channels)};
}

int channels_of_pictures(const ImageInfo& info) {
  return info.channels == 1 ? 1 : 3;
}

void normalize_pixels(std::span<const std::uint8_t> pixels, const ImageInfo& info, std::span<float> image) {
  const auto channels = static_cast<std::size_t>(info.channels);
  const std::size_t area = info.size() / channels;
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = 0; i < area; ++i) {
      const float value =
          static_cast<float>(pixels[i * channels + (info.bgr ? channels - 1 - c : c)]) / 255.0F;
      image[c * area + i] = (value - info.mean[c]) / info.stddev[c];
    }
  }
}

Result<std::vector<std::int64_t>> validation_indices(std::span<const std::int32_t> labels,
                                                     const EvaluatedModel& model,
                                                     const DataOptions& options) {
  ASSIGN_OR_RETURN(const onnx::ValidationImages images, find_validation(model, options));
  const auto count = static_cast<std::int64_t>(labels.size());
  if (images.count > count || (model.validation && images.among != count)) {
    return Error{fmt::format("'{}' has {} training images, but the model's validation images are {} of {}",
                             options.data, count, images.count,
                             model.validation ? std::to_string(images.among) : "more")};
  }
  const auto seed = static_cast<std::uint64_t>(images.seed);
  return images.by_class ? data::split_by_class(labels, images.count, seed).validation
                         : data::split_training(count, images.count, seed).validation;
}

Result<std::vector<std::int64_t>> training_indices(std::span<const std::int32_t> labels,
                                                   const EvaluatedModel& model, const DataOptions& options) {
  ASSIGN_OR_RETURN(const auto validation, known_validation_indices(labels, model, options));
  std::vector<bool> is_kept(labels.size(), true);
  for (const std::int64_t i : validation) is_kept[static_cast<std::size_t>(i)] = false;
  std::vector<std::int64_t> indices;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (is_kept[i]) indices.push_back(static_cast<std::int64_t>(i));
  return indices;
}

EvaluatedModel evaluated_model(std::shared_ptr<const Model> model, const onnx::ModelFile& file) {
  return {std::move(model), file.validation, file.taught, file.teacher, file.label_maps};
}

Result<EvaluatedModel> load_evaluated(const std::string& path, const ModelOptions& options) {
  ASSIGN_OR_RETURN(runtime::LoadedModel loaded, runtime::load_model(path, options));
  return evaluated_model(std::move(loaded.model), loaded.file);
}

std::string split_name(const DataOptions& options) {
  return options.split == "train" ? "training images" : options.split + " images";
}

std::optional<double> trainer_accuracy(const SubnetInfo& subnet, const DataOptions& options) {
  if (options.split == "validation") return subnet.validation_accuracy;
  return options.split == "test" ? subnet.test_accuracy : std::nullopt;
}

data::Labels labels_of(const EvaluatedModel& model) {
  if (model.label_maps) return data::Labels::maps;
  return model.taught.empty() ? data::Labels::classes : data::Labels::none;
}

Result<data::DatasetSpec> dataset_spec(const DataOptions& options, const EvaluatedModel& evaluated,
                                       data::Labels labels) {
  const ImageInfo& wanted = evaluated.model->image();
  data::DatasetSpec spec{.root = options.data, .channels = channels_of_pictures(wanted), .labels = labels};
  if (evaluated.label_maps) spec.black_and_white = evaluated.label_maps->black_and_white;
  if (options.format == "auto") {
    ASSIGN_OR_RETURN(spec.format, data::detect_format(options.data, spec.labels));
  } else {
    ASSIGN_OR_RETURN(spec.format, data::parse_format(options.format));
  }
  if (spec.format == data::Format::image_folder && wanted.height == wanted.width) {
    spec.image_size = wanted.height;
    spec.resize = wanted.resize;
  }
  return spec;
}

Result<data::ImageSet> read_images(const DataOptions& options, const EvaluatedModel& evaluated) {
  const Model& model = *evaluated.model;
  if (!evaluated.label_maps) RETURN_IF_ERROR(check_classifier(model));
  // Found out now, not when all images are read.
  if (options.split == "validation") RETURN_IF_ERROR(find_validation(evaluated, options));
  const ImageInfo& wanted = model.image();
  ASSIGN_OR_RETURN(const data::DatasetSpec spec, dataset_spec(options, evaluated, labels_of(evaluated)));
  ASSIGN_OR_RETURN(
      data::ImageSet set,
      data::read_image_set(spec, options.split == "test" ? data::Split::test : data::Split::train,
                           threads_of(options)));
  if (set.channels != wanted.channels || set.height != wanted.height || set.width != wanted.width) {
    return Error{fmt::format("the images of '{}' are {}x{}x{}, but the model takes {}x{}x{}", options.data,
                             set.channels, set.height, set.width, wanted.channels, wanted.height,
                             wanted.width)};
  }
  if (spec.labels == data::Labels::classes) RETURN_IF_ERROR(check_classes(options, set, spec.format, model));
  if (spec.labels == data::Labels::none) set.labels.assign(set.labels.size(), 0);
  if (options.split == "validation") {
    ASSIGN_OR_RETURN(const auto indices, known_validation_indices(set.labels, evaluated, options));
    set = pick(set, indices);
  }
  if (spec.labels == data::Labels::none) RETURN_IF_ERROR(label_by_teacher(evaluated, options, set));
  return set;
}

int threads_of(const DataOptions& options) {
  if (options.threads > 0) return options.threads;
  return usable_cores();
}

void add_split_options(CLI::App* verb, DataOptions& options) {
  add_word_option(verb, "--split", options.split, {"validation", "test", "train"}, "which images");
  add_validation_options(verb, options);
}

void add_validation_options(CLI::App* verb, DataOptions& options) {
  verb->add_option("--validation-images", options.validation_images,
                   "only for older models: data.validation of the recipe")
      ->check(CLI::Range(1, 100'000'000));
  verb->add_option("--validation-seed", options.validation_seed, "only for older models: seed of the recipe")
      ->check(CLI::Range(0, 1'000'000'000));
}

CLI::Option* add_data_options(CLI::App* verb, DataOptions& options) {
  auto* data = verb->add_option("--data", options.data, "folder of the data set")->type_name("DIR");
  verb->add_option("--format", options.format, "idx, cifar10, image_folder, arrays or auto")
      ->capture_default_str();
  add_threads_option(verb, options.threads);
  add_batch_option(verb, options.batch);
  return data;
}

double accuracy_tolerance(Precision precision, std::int64_t images) {
  constexpr std::array kLeast = {1e-3, 1e-2, 5e-2, 5e-2};  // by precision
  const double answers = precision == Precision::fp32 ? 1.5 : 3.5;
  return std::max(kLeast[static_cast<std::size_t>(precision)], answers / static_cast<double>(images));
}

Status check_validation_accuracy(const Model& model, int subnet, double accuracy, std::int64_t images) {
  const double recorded = model.subnets()[subnet].validation_accuracy;
  if (std::abs(accuracy - recorded) <= accuracy_tolerance(model.precision(), images)) return {};
  return Error{
      fmt::format("these are not the model's validation images: "
                  "sub-net {} reaches {:.2f} % on them, but the trainer saw {:.2f} %; check the data set, "
                  "and --validation-images and --validation-seed if they are given",
                  subnet, 100 * accuracy, 100 * recorded)};
}

}  // namespace concertina::apps
