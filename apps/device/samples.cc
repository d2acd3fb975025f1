#include "device/samples.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "base/try.h"
#include "data/npy.h"

namespace concertina::apps {

Result<Samples> Samples::read(const DataOptions& options, const EvaluatedModel& evaluated) {
  Samples samples(*evaluated.model);
  data::DatasetSpec spec{.root = options.data, .labels = data::Labels::none};
  if (options.format == "auto") {
    ASSIGN_OR_RETURN(spec.format, data::detect_format(options.data, data::Labels::none));
  } else {
    ASSIGN_OR_RETURN(spec.format, data::parse_format(options.format));
  }
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

Status Samples::read_images(data::DatasetSpec spec, data::Split split, int threads) {
  if (model_->inputs().size() > 1)
    return Error{
        fmt::format("the model takes {} inputs, but an image is one; give arrays", model_->inputs().size())};
  const ImageInfo& image = model_->image();
  spec.channels = channels_of_pictures(image);
  if (spec.format == data::Format::image_folder) {
    spec.image_size = image.height;
    spec.resize = image.resize;
  }
  if (image.height != image.width) spec.image_size = 0;
  ASSIGN_OR_RETURN(images_, data::read_image_set(spec, split, threads));
  if (images_.image_bytes() != image.size())
    return Error{fmt::format("the images are {}x{}x{}, but the model takes {}x{}x{}", images_.channels,
                             images_.height, images_.width, image.channels, image.height, image.width)};
  choose_all(static_cast<std::size_t>(images_.size()));
  return {};
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
