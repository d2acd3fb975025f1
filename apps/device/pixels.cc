#include "device/pixels.h"

#include <fmt/format.h>

namespace concertina::apps {

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

}  // namespace concertina::apps
