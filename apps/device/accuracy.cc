#include "device/accuracy.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/try.h"
#include "device/agreement.h"

namespace concertina::apps {
namespace {

class Top1 final : public Accuracy {
 public:
  Top1(Session session, data::ImageSet set, int batch)
      : session_(std::move(session)), set_(std::move(set)), batch_(batch) {}

  std::int64_t images() const override { return set_.size(); }

  Result<double> of(int subnet) override {
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

 private:
  Session session_;
  data::ImageSet set_;
  int batch_;
};

}  // namespace

Result<std::unique_ptr<Accuracy>> Accuracy::make(const EvaluatedModel& evaluated,
                                                 const DataOptions& options) {
  if (!evaluated.taught.empty()) return make_agreement(evaluated, options);
  if (!options.teacher.empty())
    return Error{"the model was trained on labels, so it has no teacher; leave --teacher out"};
  ASSIGN_OR_RETURN(data::ImageSet set, read_images(options, evaluated));
  ASSIGN_OR_RETURN(Session session, Session::make(evaluated.model, {.threads = threads_of(options),
                                                                    .max_batch = options.batch}));
  return std::unique_ptr<Accuracy>(std::make_unique<Top1>(std::move(session), std::move(set), options.batch));
}

void add_teacher_option(CLI::App* verb, DataOptions& options) {
  verb->add_option("--teacher", options.teacher, "of a distilled model: the network that it learned from")
      ->type_name("FILE.onnx");
}

}  // namespace concertina::apps
