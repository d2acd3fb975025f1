#include "common/samples.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "base/try.h"
#include "common/accuracy.h"
#include "data/npy.h"

namespace concertina::apps {
namespace {

/// These training images, `count` of them if it is given.
Result<std::vector<std::int64_t>> choose(const std::vector<std::int64_t>& all, std::optional<int> count,
                                         int usual, const std::string& data) {
  const auto most = static_cast<std::int64_t>(all.size());
  if (most == 0 || count.value_or(1) > most) {
    return Error{
        fmt::format("'{}' has {} training images besides the validation images, which is fewer than {}", data,
                    most, count.value_or(1))};
  }
  return take_evenly(all, count ? *count : std::min<std::int64_t>(usual, most));
}

}  // namespace

Result<Samples> Samples::read(const DataOptions& options, const EvaluatedModel& evaluated) {
  Samples samples(*evaluated.model);
  ASSIGN_OR_RETURN(const data::DatasetSpec spec, dataset_spec(options, evaluated, data::Labels::none));
  const auto split = options.split == "test" ? data::Split::test : data::Split::train;
  if (spec.format == data::Format::arrays) {
    RETURN_IF_ERROR(samples.read_arrays(options.data, split));
  } else {
    RETURN_IF_ERROR(samples.read_images(spec, split, threads_of(options)));
  }
  if (options.split != "validation") return samples;
  const std::vector<std::int32_t> no_labels(samples.chosen_.size(), 0);
  ASSIGN_OR_RETURN(samples.chosen_, validation_indices(no_labels, evaluated, options));
  return samples;
}

Result<Samples> Samples::read_training(const DataOptions& options, const EvaluatedModel& evaluated,
                                       std::optional<int> count, int usual) {
  Samples samples(*evaluated.model);
  ASSIGN_OR_RETURN(const data::DatasetSpec spec, dataset_spec(options, evaluated, labels_of(evaluated)));
  data::ImageFiles listing;
  std::vector<std::int32_t> labels;
  if (spec.format == data::Format::image_folder) {
    RETURN_IF_ERROR(samples.check_one_input());
    ASSIGN_OR_RETURN(listing, data::list_image_files(spec, data::Split::train));
    labels = listing.labels;
  } else if (spec.format == data::Format::arrays) {
    RETURN_IF_ERROR(samples.read_arrays(options.data, data::Split::train));
    labels.assign(samples.chosen_.size(), 0);
  } else {
    RETURN_IF_ERROR(samples.read_images(spec, data::Split::train, threads_of(options)));
    labels = samples.images_.labels;
    if (spec.labels == data::Labels::none) labels.assign(labels.size(), 0);
  }
  ASSIGN_OR_RETURN(const auto all, training_indices(labels, evaluated, options));
  ASSIGN_OR_RETURN(samples.chosen_, choose(all, count, usual, options.data));
  if (spec.format == data::Format::image_folder)
    RETURN_IF_ERROR(samples.read_files(spec, listing, threads_of(options)));
  return samples;
}

void Samples::keep(std::int64_t count) {
  chosen_ = take_evenly(chosen_, count);
}

void Samples::fill(std::int64_t begin, int batch, std::vector<float>& values) const {
  values.clear();
  for (std::size_t input = 0; input < model_->inputs().size(); ++input) {
    for (std::int64_t i = begin; i < begin + batch; ++i)
      add(chosen_[static_cast<std::size_t>(i)], input, values);
  }
}

Status Samples::read_arrays(const std::string& root, data::Split split) {
  ASSIGN_OR_RETURN(std::vector<data::InputArray> arrays, data::read_arrays(root, split));
  const bool only = arrays.size() == 1 && model_->inputs().size() == 1;
  for (const TensorInfo& input : model_->inputs()) {
    const auto found = std::find_if(arrays.begin(), arrays.end(), [&](const data::InputArray& one) {
      return only || one.name == input.name;
    });
    if (found == arrays.end())
      return Error{fmt::format("'{}' has no '{}.npy', and the model takes the input '{}'", root, input.name,
                               input.name)};
    const std::vector<std::int64_t>& shape = found->array.shape;
    const std::int64_t sizes[] = {input.channels, input.height, input.width};
    if (!std::equal(shape.begin() + 1, shape.end(), sizes, sizes + shape.size() - 1) ||
        (shape.size() == 2 && input.size() != static_cast<std::size_t>(input.channels))) {
      return Error{fmt::format("'{}' has samples of {} for the input '{}', which takes {}x{}x{}", root,
                               fmt::join(shape.begin() + 1, shape.end(), "x"), input.name, input.channels,
                               input.height, input.width)};
    }
    if (arrays_.empty()) choose_all(static_cast<std::size_t>(shape[0]));
    arrays_.push_back(std::move(found->array.values));
  }
  return {};
}

Status Samples::read_images(const data::DatasetSpec& spec, data::Split split, int threads) {
  RETURN_IF_ERROR(check_one_input());
  ASSIGN_OR_RETURN(data::ImageSet images, data::read_image_set(spec, split, threads));
  choose_all(static_cast<std::size_t>(images.size()));
  return take_images(std::move(images));
}

/// Of the listed images only those that are chosen.
Status Samples::read_files(const data::DatasetSpec& spec, const data::ImageFiles& listing, int threads) {
  data::ImageFiles some{.files = {}, .labels = {}, .classes = listing.classes};
  for (const std::int64_t i : chosen_) {
    some.files.push_back(listing.files[static_cast<std::size_t>(i)]);
    some.labels.push_back(listing.labels[static_cast<std::size_t>(i)]);
  }
  ASSIGN_OR_RETURN(data::ImageSet images, data::read_image_files(spec, std::move(some), threads));
  choose_all(chosen_.size());
  return take_images(std::move(images));
}

Status Samples::take_images(data::ImageSet images) {
  const ImageInfo& image = model_->image();
  if (images.channels != image.channels || images.height != image.height || images.width != image.width)
    return Error{fmt::format("the images are {}x{}x{}, but the model takes {}x{}x{}", images.channels,
                             images.height, images.width, image.channels, image.height, image.width)};
  images_ = std::move(images);
  return {};
}

Status Samples::check_one_input() const {
  if (model_->inputs().size() == 1) return {};
  return Error{
      fmt::format("the model takes {} inputs, but an image is one; give arrays", model_->inputs().size())};
}

void Samples::choose_all(std::size_t count) {
  chosen_.resize(count);
  std::iota(chosen_.begin(), chosen_.end(), std::int64_t{0});
}

void Samples::add(std::int64_t i, std::size_t input, std::vector<float>& values) const {
  const std::size_t size = model_->inputs()[input].size(), end = values.size();
  values.resize(end + size);
  if (arrays_.empty()) {
    normalize_pixels(images_.image(i), model_->image(), std::span(values).subspan(end));
  } else {
    std::copy_n(arrays_[input].begin() + i * static_cast<std::int64_t>(size), size,
                values.begin() + static_cast<std::ptrdiff_t>(end));
  }
}

}  // namespace concertina::apps
