#include "device/look_logits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/try.h"
#include "cascade/replay.h"
#include "device/images.h"

namespace concertina::apps {
namespace {

// Rounding decides a few images in ten thousand otherwise than in the trainer, in bfloat16 more; other images
// of as many differ by more, and training images by some per cent.
constexpr double kRounding = 0.001, kBf16Rounding = 0.01;

void mirror_rows(std::span<float> image, int width) {
  for (auto row = image.begin(); row != image.end(); row += width) std::reverse(row, row + width);
}

/// Appends the first output of a look at all images.
Status run_look(Session& session, const data::ImageSet& set, cascade::LabelledLogits::Column& column) {
  const Model& model = session.model();
  const std::size_t size = set.image_bytes(), classes = model.classes().size();
  const int most = session.options().max_batch;
  std::vector<float> images(static_cast<std::size_t>(most) * size);
  std::vector<float> outputs(static_cast<std::size_t>(most) * model.output_size());
  for (std::int64_t begin = 0; begin < set.size(); begin += most) {
    const auto n = static_cast<std::size_t>(std::min<std::int64_t>(most, set.size() - begin));
    for (std::size_t i = 0; i < n; ++i) {
      const auto image = std::span(images).subspan(i * size, size);
      normalize_pixels(set.image(begin + static_cast<std::int64_t>(i)), model.image(), image);
      if (column.look.mirrored) mirror_rows(image, set.width);
    }
    RETURN_IF_ERROR(session.run(std::span(images).first(n * size), static_cast<int>(n), column.look.subnet,
                                std::span(outputs).first(n * model.output_size())));
    column.logits.insert(column.logits.end(), outputs.begin(),
                         outputs.begin() + static_cast<std::ptrdiff_t>(n * classes));
  }
  return {};
}

}  // namespace

Result<cascade::LabelledLogits> look_at(Session& session, const data::ImageSet& set,
                                        std::span<const double> ms, bool mirror, Progress& progress) {
  const int looks = mirror ? 2 : 1;
  cascade::LabelledLogits data{
      .classes = static_cast<int>(session.model().classes().size()), .labels = set.labels, .columns = {}};
  progress.start("look at images", static_cast<std::int64_t>(ms.size()) * looks);
  for (std::size_t subnet = 0; subnet < ms.size(); ++subnet) {
    for (int look = 0; look < looks; ++look) {
      cascade::LabelledLogits::Column column{
          .look = {.subnet = static_cast<int>(subnet), .mirrored = look == 1},
          .ms = ms[subnet],
          .logits = {}};
      RETURN_IF_ERROR(run_look(session, set, column));
      data.columns.push_back(std::move(column));
      progress.update(static_cast<std::int64_t>(data.columns.size()), "");
    }
  }
  return data;
}

Status check_validation_images(const Model& model, const cascade::LabelledLogits& data) {
  const double rounding = model.precision() == Precision::bf16 ? kBf16Rounding : kRounding;
  std::vector<int> rows(data.labels.size());
  std::iota(rows.begin(), rows.end(), 0);
  for (std::size_t i = 0; i < model.subnets().size(); ++i) {
    const cascade::CascadeStage alone[] = {{.look = {.subnet = static_cast<int>(i)}, .blend = {}}};
    const auto correct = cascade::replay(data, rows, alone, cascade::ConfidenceMeasure::probability).correct;
    const double right = static_cast<double>(std::count(correct.begin(), correct.end(), 1)) /
                         static_cast<double>(correct.size());
    const double recorded = model.subnets()[i].validation_accuracy;
    if (std::abs(right - recorded) <= rounding) continue;
    return Error{fmt::format(
        "these are not the model's validation images: "
        "sub-net {} is right on {:.2f} % of them, but was on {:.2f} %; "
        "give its recipe's data.validation as --validation-images and its seed as --validation-seed",
        i, 100 * right, 100 * recorded)};
  }
  return {};
}

}  // namespace concertina::apps
