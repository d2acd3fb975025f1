#include "device/images.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/machine.h"
#include "base/try.h"
#include "common/options.h"
#include "data/image_set.h"

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
  }
  return some;
}

Result<data::ImageSet> validation_part(const data::ImageSet& set, const DataOptions& options) {
  if (options.validation_images > set.size()) {
    return Error{fmt::format("'{}' has {} training images, fewer than --validation-images {}", options.data,
                             set.size(), options.validation_images)};
  }
  return pick(set, data::split_training(set.size(), options.validation_images,
                                        static_cast<std::uint64_t>(options.validation_seed))
                       .validation);
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
  return Error{fmt::format(
      "the model's output '{}' is a map of {}x{}x{}, so there are no classes to tell; use a Session",
      output.name, output.channels, output.height, output.width)};
}

void normalize_pixels(std::span<const std::uint8_t> pixels, const ImageInfo& info, std::span<float> image) {
  const auto channels = static_cast<std::size_t>(info.channels);
  const std::size_t area = info.size() / channels;
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = 0; i < area; ++i) {
      const float value = static_cast<float>(pixels[i * channels + c]) / 255.0F;
      image[c * area + i] = (value - info.mean[c]) / info.stddev[c];
    }
  }
}

Result<data::ImageSet> read_images(const DataOptions& options, const Model& model) {
  RETURN_IF_ERROR(check_classifier(model));
  data::DatasetSpec spec{.root = options.data, .image_size = 0};
  if (options.format == "auto") {
    ASSIGN_OR_RETURN(spec.format, data::detect_format(options.data));
  } else {
    ASSIGN_OR_RETURN(spec.format, data::parse_format(options.format));
  }
  const ImageInfo& wanted = model.image();
  if (spec.format == data::Format::image_folder && wanted.height == wanted.width) {
    spec.image_size = wanted.height;
    spec.resize = wanted.resize;
  }
  ASSIGN_OR_RETURN(
      data::ImageSet set,
      data::read_image_set(spec, options.split == "test" ? data::Split::test : data::Split::train,
                           threads_of(options)));
  if (set.channels != wanted.channels || set.height != wanted.height || set.width != wanted.width) {
    return Error{fmt::format("the images of '{}' are {}x{}x{}, but the model takes {}x{}x{}", options.data,
                             set.channels, set.height, set.width, wanted.channels, wanted.height,
                             wanted.width)};
  }
  if (set.classes.size() != model.classes().size()) {
    return Error{fmt::format("'{}' has {} classes, but the model tells {} apart", options.data,
                             set.classes.size(), model.classes().size())};
  }
  if (options.split == "validation") return validation_part(set, options);
  return set;
}

int threads_of(const DataOptions& options) {
  if (options.threads > 0) return options.threads;
  return usable_cores();
}

void add_split_options(CLI::App* verb, DataOptions& options) {
  verb->add_option("--split", options.split, "test, train or validation")
      ->check(CLI::IsMember({"test", "train", "validation"}))
      ->capture_default_str();
  add_range_option(verb, "--validation-images", options.validation_images,
                   "training images that the run kept back: data.validation of the recipe", 1, 100'000'000);
  verb->add_option("--validation-seed", options.validation_seed, "seed of the recipe")->capture_default_str();
}

CLI::Option* add_data_options(CLI::App* verb, DataOptions& options) {
  auto* data = verb->add_option("--data", options.data, "folder of the data set")->type_name("DIR");
  verb->add_option("--format", options.format, "idx, cifar10, image_folder or auto")->capture_default_str();
  add_range_option(verb, "--threads", options.threads, "0 = one per processor", 0, 256);
  add_range_option(verb, "--batch", options.batch, "images a run", 1, 4096);
  return data;
}

Result<Accuracy> Accuracy::make(std::shared_ptr<const Model> model, const DataOptions& options) {
  ASSIGN_OR_RETURN(data::ImageSet set, read_images(options, *model));
  ASSIGN_OR_RETURN(Session session, Session::make(std::move(model), {.threads = threads_of(options),
                                                                     .max_batch = options.batch}));
  return Accuracy(std::move(session), std::move(set), options.batch);
}

Result<double> Accuracy::of(int subnet) {
  const std::size_t classes = session_.model().classes().size(), size = set_.image_bytes();
  std::vector<float> images(static_cast<std::size_t>(batch_) * size);
  std::vector<float> logits(static_cast<std::size_t>(batch_) * session_.model().output_size());
  std::int64_t correct = 0;
  for (std::int64_t begin = 0; begin < set_.size(); begin += batch_) {
    const int batch = static_cast<int>(std::min<std::int64_t>(batch_, set_.size() - begin));
    const auto n = static_cast<std::size_t>(batch);
    for (std::size_t i = 0; i < n; ++i) {
      normalize_pixels(set_.image(begin + static_cast<std::int64_t>(i)), session_.model().image(),
                       std::span(images).subspan(i * size, size));
    }
    RETURN_IF_ERROR(session_.run(std::span(images).first(n * size), batch, subnet,
                                 std::span(logits).first(n * session_.model().output_size())));
    for (std::size_t i = 0; i < n; ++i) {
      const float* row = logits.data() + i * classes;
      const auto best = std::max_element(row, row + classes) - row;
      correct += best == set_.labels[static_cast<std::size_t>(begin) + i] ? 1 : 0;
    }
  }
  return static_cast<double>(correct) / static_cast<double>(set_.size());
}

}  // namespace concertina::apps
