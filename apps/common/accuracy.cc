#include "common/accuracy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "base/try.h"
#include "common/agreement.h"
#include "data/label_map.h"

namespace concertina::apps {
namespace {

/// Of images with labels of some kind.
class OnImages : public Accuracy {
 public:
  OnImages(Session session, data::ImageSet set, int batch)
      : session_(std::move(session)),
        set_(std::move(set)),
        chosen_(static_cast<std::size_t>(set_.size())),
        batch_(batch) {
    std::iota(chosen_.begin(), chosen_.end(), std::int64_t{0});
  }

  std::int64_t images() const final { return std::ssize(chosen_); }

  void keep(std::int64_t count) final { chosen_ = take_evenly(chosen_, count); }

  Status use(std::shared_ptr<const Model> model) final {
    ASSIGN_OR_RETURN(session_, Session::make(std::move(model), session_.options()));
    return {};
  }

  Status look(int subnet, std::int64_t count,
              const std::function<void(std::span<const float> outputs)>& see) final {
    return run_some(subnet, take_evenly(chosen_, count),
                    [&](std::int64_t, std::span<const float> values) { see(values); });
  }

 protected:
  const data::ImageSet& set() const { return set_; }
  const Model& model() const { return session_.model(); }

  /// Calls see(i, the first output of image i) for all images in turn.
  template <typename See>
  Status run(int subnet, See see) {
    return run_some(subnet, chosen_, see);
  }

 private:
  template <typename See>
  Status run_some(int subnet, const std::vector<std::int64_t>& chosen, See see) {
    const std::size_t size = set_.image_bytes(), output = model().outputs()[0].size();
    std::vector<float> images(static_cast<std::size_t>(batch_) * size);
    std::vector<float> values(static_cast<std::size_t>(batch_) * model().output_size());
    for (std::size_t begin = 0; begin < chosen.size(); begin += static_cast<std::size_t>(batch_)) {
      const std::size_t n = std::min(static_cast<std::size_t>(batch_), chosen.size() - begin);
      for (std::size_t i = 0; i < n; ++i) {
        normalize_pixels(set_.image(chosen[begin + i]), model().image(),
                         std::span(images).subspan(i * size, size));
      }
      RETURN_IF_ERROR(session_.run(std::span(images).first(n * size), static_cast<int>(n), subnet,
                                   std::span(values).first(n * model().output_size())));
      for (std::size_t i = 0; i < n; ++i)
        see(chosen[begin + i], std::span(values).subspan(i * output, output));
    }
    return {};
  }

  Session session_;
  data::ImageSet set_;
  std::vector<std::int64_t> chosen_;
  int batch_;
};

class Top1 final : public OnImages {
 public:
  using OnImages::OnImages;

  Result<double> of(int subnet) override {
    const std::size_t classes = model().classes().size();
    std::int64_t correct = 0;
    RETURN_IF_ERROR(run(subnet, [&](std::int64_t i, std::span<const float> values) {
      const auto logits = values.first(classes);
      const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
      correct += best == set().labels[static_cast<std::size_t>(i)] ? 1 : 0;
    }));
    return static_cast<double>(correct) / static_cast<double>(images());
  }
};

class MeanIou final : public OnImages {
 public:
  using OnImages::OnImages;

  Result<double> of(int subnet) override {
    agreed_.fill(0);
    either_.fill(0);
    RETURN_IF_ERROR(
        run(subnet, [&](std::int64_t i, std::span<const float> values) { add(set().map(i), values); }));
    double sum = 0;
    int seen = 0;
    for (std::size_t c = 0; c < either_.size(); ++c) {
      if (either_[c] == 0) continue;
      sum += static_cast<double>(agreed_[c]) / static_cast<double>(either_[c]);
      ++seen;
    }
    return seen == 0 ? 0 : sum / seen;
  }

 private:
  void add(std::span<const std::uint8_t> map, std::span<const float> values) {
    const TensorInfo& output = model().outputs()[0];
    const int y_step = set().height / output.height, x_step = set().width / output.width;
    for (int y = 0; y < output.height; ++y) {
      for (int x = 0; x < output.width; ++x) {
        const std::size_t label =
            map[static_cast<std::size_t>((y * y_step + y_step / 2) * set().width + x * x_step + x_step / 2)];
        if (label == data::kUnlabelled) continue;
        const std::size_t found = class_at(values, output, static_cast<std::size_t>(y * output.width + x));
        ++either_[label];
        if (found == label) {
          ++agreed_[label];
        } else {
          ++either_[found];
        }
      }
    }
  }

  /// A single score is that of the class 1, and that of 0 is 0.
  static std::size_t class_at(std::span<const float> values, const TensorInfo& output, std::size_t pixel) {
    const auto area = static_cast<std::size_t>(output.height) * static_cast<std::size_t>(output.width);
    if (output.channels == 1) return values[pixel] > 0 ? 1 : 0;
    return preferred(values.first(output.size()), pixel, area);
  }

  // Pixels by class: where map and model agree on it, and where either has it.
  std::array<std::int64_t, 256> agreed_, either_;
};

}  // namespace

std::vector<std::int64_t> take_evenly(const std::vector<std::int64_t>& all, std::int64_t count) {
  std::vector<std::int64_t> some;
  for (std::int64_t i = 0; i < count; ++i)
    some.push_back(all[static_cast<std::size_t>(i * std::ssize(all) / count)]);
  return some;
}

std::size_t preferred(std::span<const float> map, std::size_t place, std::size_t places) {
  std::size_t best = 0;
  for (std::size_t c = 1; c * places < map.size(); ++c) {
    if (map[c * places + place] > map[best * places + place]) best = c;
  }
  return best;
}

Result<std::unique_ptr<Accuracy>> Accuracy::make(const EvaluatedModel& evaluated,
                                                 const DataOptions& options) {
  if (!evaluated.taught.empty()) return make_agreement(evaluated, options);
  if (!options.teacher.empty())
    return Error{"the model was trained on labels, so it has no teacher; leave --teacher out"};
  ASSIGN_OR_RETURN(data::ImageSet set, read_images(options, evaluated));
  ASSIGN_OR_RETURN(Session session, Session::make(evaluated.model, {.threads = threads_of(options),
                                                                    .max_batch = options.batch}));
  if (evaluated.label_maps)
    return std::unique_ptr<Accuracy>(
        std::make_unique<MeanIou>(std::move(session), std::move(set), options.batch));
  return std::unique_ptr<Accuracy>(std::make_unique<Top1>(std::move(session), std::move(set), options.batch));
}

void add_teacher_option(CLI::App* verb, DataOptions& options) {
  verb->add_option("--teacher", options.teacher, "of a distilled model: the network that it learned from")
      ->type_name("FILE.onnx");
}

}  // namespace concertina::apps
