#include "scales.h"

#include <algorithm>

#include "base/try.h"
#include "images.h"
#include "quantization/calibrate.h"

namespace concertina::bench {
namespace {

constexpr int kCalibrationImages = 4;

}  // namespace

Status add_scales(onnx::ModelFile& file) {
  const bool calibrated = std::all_of(file.subnets.begin(), file.subnets.end(),
                                      [](const auto& record) { return !record.quantization.empty(); });
  if (calibrated) return {};
  const auto size = static_cast<std::size_t>(input_elements(file.network.graph));
  const quantization::Images images{.count = kCalibrationImages,
                                    .fill = [=](std::int64_t begin, int batch, std::vector<float>& values) {
                                      values.resize(static_cast<std::size_t>(batch) * size);
                                      fill(values, static_cast<std::uint64_t>(begin) * size);
                                    }};
  const quantization::CalibrateOptions options{.range = {.method = quantization::Method::minmax},
                                               .batch = kCalibrationImages};
  SilentProgress progress;
  ASSIGN_OR_RETURN(const auto tensors, quantization::calibrate(file, images, options, progress));
  for (std::size_t i = 0; i < tensors.size(); ++i)
    file.subnets[i].quantization = quantization::quantizations_of(tensors[i]);
  return {};
}

}  // namespace concertina::bench
