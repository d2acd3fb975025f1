#include "device/pixels.h"

namespace concertina::apps {

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
