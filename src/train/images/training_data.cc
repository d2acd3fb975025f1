#include "train/images/training_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/hash.h"
#include "base/thread_pool.h"
#include "base/try.h"
#include "data/image_set.h"
#include "data/npy.h"
#include "data/read.h"
#include "train/images/pixel_source.h"

namespace concertina::train {
namespace {

constexpr std::int64_t kLeastTraining = 4;  // images

// Images of a folder whose pixels are measured, evenly spaced, where not all of them are read.
constexpr std::int64_t kMeasured = 1000;

/// One split, however it is kept.
struct SplitImages {
  std::vector<DataInput> inputs;
  std::vector<std::string> classes;
  std::vector<std::int32_t> labels;
  std::shared_ptr<const PixelSource> pixels;
  std::vector<torch::Tensor> arrays;  ///< in place of pixels
  Normalization measured;
  std::uint64_t hash = 0;
  bool black_and_white = false;  ///< the label maps are masks of 0 and 255
};

data::Labels labels_of(recipe::Task task) {
  switch (task) {
    case recipe::Task::classify:
      return data::Labels::classes;
    case recipe::Task::segment:
      return data::Labels::maps;
    case recipe::Task::distill:
      break;
  }
  return data::Labels::none;
}

Result<data::DatasetSpec> dataset_spec(const recipe::Recipe& recipe, int channels) {
  const recipe::Recipe::Data& data = recipe.data;
  data::DatasetSpec spec{.format = {},
                         .root = data.path,
                         .image_size = data.image_size,
                         .channels = channels,
                         .labels = labels_of(recipe.task)};
  if (data.format == "auto") {
    ASSIGN_OR_RETURN(spec.format, data::detect_format(data.path, spec.labels));
  } else {
    ASSIGN_OR_RETURN(spec.format, data::parse_format(data.format));
  }
  return spec;
}

std::uint64_t content_hash(const data::ImageSet& set) {
  const auto* labels = reinterpret_cast<const std::uint8_t*>(set.labels.data());
  return Hash()
      .add(set.pixels)
      .add({labels, set.labels.size() * sizeof(set.labels[0])})
      .add(set.maps)
      .value();
}

Result<SplitImages> read_whole(const data::DatasetSpec& spec, data::Split split, torch::Device device,
                               int threads) {
  ASSIGN_OR_RETURN(data::ImageSet set, data::read_image_set(spec, split, threads));
  if (spec.labels == data::Labels::none) set.labels.assign(set.labels.size(), 0);
  SplitImages images{.inputs = {{"", {set.channels, set.height, set.width}}},
                     .classes = set.classes,
                     .labels = set.labels,
                     .pixels = {},
                     .arrays = {},
                     .measured = measure_normalization(set),
                     .hash = content_hash(set),
                     .black_and_white = set.black_and_white};
  images.pixels = pixels_in_memory(std::move(set), device);
  return images;
}

Result<SplitImages> read_arrays(const std::filesystem::path& root, data::Split split, torch::Device device) {
  ASSIGN_OR_RETURN(std::vector<data::InputArray> inputs, data::read_arrays(root, split));
  SplitImages samples;
  Hash hash;
  for (const auto& [name, array] : inputs) {
    std::vector<std::int64_t> sizes = array.shape;
    sizes.resize(4, 1);
    const auto side = [&](std::size_t i) { return static_cast<int>(sizes[i]); };
    samples.inputs.push_back({inputs.size() == 1 ? "" : name, {side(1), side(2), side(3)}});
    auto* values = const_cast<float*>(array.values.data());  // copied below, never written
    samples.arrays.push_back(torch::from_blob(values, sizes).clone().to(device));
    hash.add(std::span(reinterpret_cast<const std::uint8_t*>(values), array.values.size() * sizeof(float)));
  }
  samples.labels.assign(static_cast<std::size_t>(samples.arrays[0].size(0)), 0);
  samples.measured.mean.assign(static_cast<std::size_t>(samples.inputs[0].shape.channels), 0);
  samples.measured.stddev.assign(samples.measured.mean.size(), 1);
  samples.hash = hash.value();
  return samples;
}

Error test_data_differs(const recipe::Recipe& recipe) {
  return Error{fmt::format(
      "the test data of '{}' differs from its training data in inputs, size or classes; both must have the same",
      recipe.data.path.string())};
}

/// Batches of a split; its pixels and arrays are gone then.
ImageBatches batches_of(SplitImages& images, const Normalization& normalization, torch::Device device) {
  if (!images.pixels) return ImageBatches(std::move(images.arrays));
  return ImageBatches(std::move(images.pixels), images.labels, normalization, device);
}

Result<Squares> squares_of(const recipe::Recipe::Data& data, data::Format format) {
  if (format != data::Format::image_folder) {
    return Error{"data.crop = \"resized\" is for folders of images; leave it out for this data set"};
  }
  if (data.image_size == 0) {
    return Error{
        "data.crop = \"resized\" needs the side of the images in pixels; "
        "set data.image_size, to 224 for instance"};
  }
  return Squares{.size = data.image_size, .resize = data.resize == 0 ? data.image_size : data.resize};
}

Result<std::uint64_t> listing_hash(const data::ImageFiles& listing, const std::filesystem::path& root) {
  Hash hash;
  for (const auto* files : {&listing.files, &listing.maps}) {
    for (const auto& file : *files) {
      std::error_code code;
      const auto size = std::filesystem::file_size(file, code);
      if (code) return Error{fmt::format("cannot read '{}': {}", file.string(), code.message())};
      hash.add(fmt::format("{}:{}\n", file.lexically_relative(root).string(), size));
    }
  }
  return hash.value();
}

Result<Normalization> measure_some(const PixelSource& pixels, std::int64_t count) {
  const std::int64_t wanted = std::min(count, kMeasured);
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < wanted; ++i) indices.push_back(i * count / wanted);
  const torch::Tensor images = pixels.plain(indices).images.cpu().contiguous();
  RETURN_IF_ERROR(pixels.status());
  const auto* values = images.data_ptr<std::uint8_t>();
  return measure_normalization({.channels = static_cast<int>(images.size(3)),
                                .height = static_cast<int>(images.size(1)),
                                .width = static_cast<int>(images.size(2)),
                                .pixels = {values, values + images.numel()},
                                .labels = {},
                                .classes = {}});
}

Result<SplitImages> list_only(const data::DatasetSpec& spec, const recipe::Recipe::Data& data,
                              data::Split split, torch::Device device, int threads) {
  ASSIGN_OR_RETURN(Squares squares, squares_of(data, spec.format));
  squares.channels = spec.channels;
  ASSIGN_OR_RETURN(data::ImageFiles listing, data::list_image_files(spec, split));
  ThreadPool pool(threads);
  ASSIGN_OR_RETURN(const data::LabelValues values, data::check_images(listing, pool));
  SplitImages images{.inputs = {{"", {squares.channels, squares.size, squares.size}}},
                     .classes = std::move(listing.classes),
                     .labels = std::move(listing.labels),
                     .pixels = {},
                     .arrays = {},
                     .measured = {},
                     .hash = 0,
                     .black_and_white = spec.black_and_white.value_or(data::are_black_and_white(values))};
  if (images.black_and_white) {
    images.classes = {"0", "1"};
  } else if (spec.labels == data::Labels::maps) {
    ASSIGN_OR_RETURN(images.classes, data::classes_of(values));
  }
  ASSIGN_OR_RETURN(images.hash, listing_hash(listing, spec.root));
  images.pixels = pixels_on_disk(std::move(listing), images.black_and_white, squares, threads, device);
  if (!data.mean.empty() && !data.stddev.empty()) return images;
  if (split == data::Split::test) return images;
  ASSIGN_OR_RETURN(images.measured,
                   measure_some(*images.pixels, static_cast<std::int64_t>(images.labels.size())));
  return images;
}

Result<SplitImages> open_split(const recipe::Recipe& recipe, const data::DatasetSpec& spec, data::Split split,
                               torch::Device device, int threads) {
  if (spec.format == data::Format::arrays) return read_arrays(spec.root, split, device);
  if (recipe.data.crop == recipe::Crop::resized) return list_only(spec, recipe.data, split, device, threads);
  return read_whole(spec, split, device, threads);
}

/// In place of what was measured.
Status take(const std::vector<double>& given, const char* key, double highest, int channels,
            std::vector<float>& values) {
  if (given.empty()) return {};
  values.clear();
  for (const double value : given) values.push_back(static_cast<float>(value / highest));
  if (static_cast<int>(given.size()) == channels) return {};
  return Error{
      fmt::format("data.{} has {} numbers, but the images have {} channels", key, given.size(), channels)};
}

/// Images to split off so many.
std::int64_t validation_images(const recipe::Recipe::Data& data, std::int64_t count) {
  constexpr std::int64_t kLeast = 2, kMost = 5000;
  return data.validation > 0 ? data.validation : std::clamp(count / 10, kLeast, kMost);
}

Error too_few(std::int64_t count, std::int64_t held_out) {
  const std::string advice =
      count < 2 * kLeastTraining ? "use more images" : "leave data.validation out, or make it smaller";
  return Error{
      fmt::format("the training set has {} images, of which data.validation = {} leaves fewer than {}; {}",
                  count, held_out, kLeastTraining, advice)};
}

}  // namespace

std::span<const std::int64_t> TrainingData::first_training(std::int64_t count) const {
  return std::span(training).first(std::min(training.size(), static_cast<std::size_t>(count)));
}

Status check_data(const recipe::Recipe& recipe) {
  const auto spec = dataset_spec(recipe, 3);
  const Status status = spec ? data::check_splits(*spec) : spec.error();
  if (status) return {};
  std::error_code code;
  const bool path_is_wrong = !std::filesystem::is_directory(recipe.data.path, code);
  return Error{fmt::format("data.path: {}{}", status.error().message,
                           path_is_wrong ? fmt::format("; {}", recipe::kPathRule) : "")};
}

Augmentation augmentation_of(const recipe::Recipe::Data& data) {
  return {data.pad, data.flip.value_or(true)};
}

int fitting_batch(int wanted, const TrainingData& data) {
  constexpr int kSteps = 8;  // in an epoch
  const auto images = static_cast<int>(data.training.size());
  return wanted <= images ? wanted : std::max(2, images / kSteps);
}

std::string summary(const TrainingData& data) {
  const char* what = data.images.are_pictures() ? "images" : "samples";
  std::string text = fmt::format("data: {} {} to train on, {} validation {}", data.training.size(), what,
                                 data.validation.size(), what);
  if (!data.classes.empty()) text += fmt::format(", {} classes", data.classes.size());
  if (data.black_and_white) text += "; the label maps are black and white, and white is the class 1";
  return text;
}

std::string uncertainty(const TrainingData& data) {
  constexpr std::size_t kEnough = 400;
  const std::size_t count = data.validation.size();
  if (count >= kEnough) return {};
  const double points = 100 * 1.96 * std::sqrt(0.25 / static_cast<double>(count));
  return fmt::format(
      "data: an accuracy on {} validation images may be off by {:.0f} points; more would tell sizes apart better",
      count, points);
}

Result<TrainingData> read_training_data(const recipe::Recipe& recipe, int channels, torch::Device device,
                                        int threads) {
  ASSIGN_OR_RETURN(const data::DatasetSpec spec, dataset_spec(recipe, channels));
  ASSIGN_OR_RETURN(SplitImages images, open_split(recipe, spec, data::Split::train, device, threads));
  const auto count = static_cast<std::int64_t>(images.labels.size());
  if (!images.pixels && !(recipe.data.mean.empty() && recipe.data.stddev.empty()))
    return Error{"data.mean and data.stddev are for images; arrays are taken as they are, so leave them out"};
  if (spec.format == data::Format::arrays) {
    // What is wrong with them is said before training, not after.
    ASSIGN_OR_RETURN(const SplitImages test, read_arrays(spec.root, data::Split::test, torch::kCPU));
    if (test.inputs != images.inputs) return test_data_differs(recipe);
  }
  const std::int64_t held_out = validation_images(recipe.data, count);
  if (held_out + kLeastTraining > count) return too_few(count, held_out);
  const bool to_255 = recipe.data.range == recipe::PixelRange::to_255;
  Normalization normalization = images.measured;
  normalization.bgr = recipe.data.channel_order == recipe::ChannelOrder::bgr;
  if (normalization.bgr) {
    std::reverse(normalization.mean.begin(), normalization.mean.end());
    std::reverse(normalization.stddev.begin(), normalization.stddev.end());
  }
  const int read = images.inputs[0].shape.channels;
  if (normalization.bgr && read != 3)
    return Error{
        fmt::format("data.channel_order = \"bgr\" is for images of three channels, but these have {}", read)};
  if (to_255) {
    normalization.mean.assign(static_cast<std::size_t>(read), 0);
    normalization.stddev.assign(static_cast<std::size_t>(read), 1 / 255.0F);
  }
  RETURN_IF_ERROR(take(recipe.data.mean, "mean", to_255 ? 255 : 1, read, normalization.mean));
  RETURN_IF_ERROR(take(recipe.data.stddev, "stddev", to_255 ? 255 : 1, read, normalization.stddev));
  data::TrainingSplit split =
      data::split_by_class(images.labels, held_out, static_cast<std::uint64_t>(recipe.seed));
  return TrainingData{.inputs = std::move(images.inputs),
                      .classes = std::move(images.classes),
                      .normalization = normalization,
                      .images = batches_of(images, normalization, device),
                      .labels = std::move(images.labels),
                      .training = std::move(split.training),
                      .validation = std::move(split.validation),
                      .hash = images.hash,
                      .black_and_white = images.black_and_white};
}

Result<std::shared_ptr<const TrainingData>> DataReader::read(const recipe::Recipe& recipe, int channels) {
  const std::string wanted =
      fmt::format("{} {}\n{}{}", static_cast<int>(recipe.task), channels,
                  recipe::table_to_toml(recipe, "data"), recipe::table_to_toml(recipe, "training"));
  if (wanted != last_) {
    ASSIGN_OR_RETURN(TrainingData data, read_training_data(recipe, channels, device_, threads_));
    data_ = std::make_shared<const TrainingData>(std::move(data));
    last_ = wanted;
    return data_;
  }
  TrainingData data = *data_;  // shares the pixels
  const std::int64_t count = data_->images.size();
  data::TrainingSplit split = data::split_by_class(data_->labels, validation_images(recipe.data, count),
                                                   static_cast<std::uint64_t>(recipe.seed));
  data.training = std::move(split.training);
  data.validation = std::move(split.validation);
  return std::make_shared<const TrainingData>(std::move(data));
}

Result<ImageBatches> read_test_images(const recipe::Recipe& recipe, const TrainingData& training,
                                      torch::Device device, int threads) {
  ASSIGN_OR_RETURN(data::DatasetSpec spec, dataset_spec(recipe, training.inputs[0].shape.channels));
  spec.black_and_white = training.black_and_white;
  ASSIGN_OR_RETURN(SplitImages images, open_split(recipe, spec, data::Split::test, device, threads));
  // Label maps may lack the classes with the highest numbers.
  const bool classes_fit = recipe.task == recipe::Task::segment || images.classes == training.classes;
  if (images.inputs != training.inputs || !classes_fit) {
    return test_data_differs(recipe);
  }
  return batches_of(images, training.normalization, device);
}

}  // namespace concertina::train
