#include "device/look_logits.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/try.h"
#include "cascade/replay.h"
#include "common/images.h"

namespace concertina::apps {
namespace {

void mirror_rows(std::span<float> image, int width) {
  for (auto row = image.begin(); row != image.end(); row += width) std::reverse(row, row + width);
}

/// Appends the scores of a look at all images: the first output.
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
    const auto logits = std::span(outputs).first(n * classes);
    if (model.outputs()[0].probabilities) cascade::to_scores(logits);
    column.logits.insert(column.logits.end(), logits.begin(), logits.end());
  }
  return {};
}

}  // namespace

Result<cascade::LabelledLogits> look_at(Session& session, const data::ImageSet& set, bool mirror,
                                        Progress& progress) {
  const int looks = mirror ? 2 : 1, subnets = static_cast<int>(session.model().subnets().size());
  cascade::LabelledLogits data{
      .classes = static_cast<int>(session.model().classes().size()), .labels = set.labels, .columns = {}};
  progress.start("look at images", std::int64_t{subnets} * looks);
  for (int subnet = 0; subnet < subnets; ++subnet) {
    for (int look = 0; look < looks; ++look) {
      cascade::LabelledLogits::Column column{
          .look = {.subnet = subnet, .mirrored = look == 1}, .ms = 0, .logits = {}};
      RETURN_IF_ERROR(run_look(session, set, column));
      data.columns.push_back(std::move(column));
      progress.update(static_cast<std::int64_t>(data.columns.size()), "");
    }
  }
  return data;
}

Status check_validation_images(const Model& model, const cascade::LabelledLogits& data) {
  std::vector<int> rows(data.labels.size());
  std::iota(rows.begin(), rows.end(), 0);
  for (int subnet = 0; subnet < static_cast<int>(model.subnets().size()); ++subnet) {
    const cascade::CascadeStage alone[] = {{.look = {.subnet = subnet}, .blend = {}}};
    const auto correct = cascade::replay(data, rows, alone, cascade::ConfidenceMeasure::probability).correct;
    const auto right = static_cast<double>(std::count(correct.begin(), correct.end(), 1));
    const auto images = static_cast<std::int64_t>(correct.size());
    RETURN_IF_ERROR(check_validation_accuracy(model, subnet, right / static_cast<double>(images), images));
  }
  return {};
}

}  // namespace concertina::apps
