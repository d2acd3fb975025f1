#include "common/agreement.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/try.h"
#include "common/samples.h"
#include "graph/edit.h"
#include "onnx/network_file.h"
#include "runtime/model_impl.h"

namespace concertina::apps {
namespace {

/// The file's network, with the outputs of the model.
Result<std::shared_ptr<const Model>> load_teacher(const std::string& path, const EvaluatedModel& evaluated) {
  const Model& model = *evaluated.model;
  ASSIGN_OR_RETURN(const std::uint64_t hash, onnx::hash_network(path));
  if (evaluated.teacher && *evaluated.teacher != hash)
    return Error{fmt::format("'{}' is not the file that the model was distilled from; give that one", path)};
  ASSIGN_OR_RETURN(const onnx::ImportedNetwork imported, onnx::import_network(path));
  std::vector<NodeId> outputs;
  for (const TensorInfo& wanted : model.outputs()) {
    for (const NodeId id : imported.network.graph.outputs()) {
      const Node& node = imported.network.graph.node(id);
      const Shape& shape = imported.network.graph.shape(id);
      const bool same = shape == Shape{wanted.channels, wanted.height, wanted.width};
      if (node.name == wanted.name && same) outputs.push_back(id);
    }
  }
  if (outputs.size() != model.outputs().size())
    return Error{fmt::format(
        "'{}' has not the outputs of the model; give the network that it was distilled from", path)};
  onnx::ModelFile file{
      .network = keep_outputs(imported.network, outputs), .subnets = {}, .preprocessing = {}, .classes = {}};
  const Graph& graph = file.network.graph;
  onnx::SubnetRecord full{.subnet = full_subnet(graph), .own = {}, .test_accuracy = {}};
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const Parameter& parameter : parameters(graph, id)) {
      const std::string name = parameter_name(graph.node(id), parameter);
      if (!parameter.trainable) full.own[name] = file.network.weights.at(name);
    }
  }
  file.subnets.push_back(std::move(full));
  const auto channels = static_cast<std::size_t>(graph.shape(0).channels);
  file.preprocessing = {std::vector<float>(channels, 0), std::vector<float>(channels, 1)};
  auto teacher = runtime::make_model(file);
  if (!teacher) return in_file(path, teacher.error());
  if ((*teacher)->input_size() != model.input_size())
    return Error{fmt::format(
        "'{}' has not the inputs of the model; give the network that it was distilled from", path)};
  return *std::move(teacher);
}

/// The share of places where both maps prefer the same channel.
double agreement(std::span<const float> a, std::span<const float> b, std::size_t places) {
  std::size_t same = 0;
  for (std::size_t place = 0; place < places; ++place)
    same += preferred(a, place, places) == preferred(b, place, places) ? 1 : 0;
  return static_cast<double>(same) / static_cast<double>(places);
}

double squared_error(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum / static_cast<double>(a.size());
}

class Agreement final : public Accuracy {
 public:
  Agreement(Session session, Session teacher, Samples samples, std::vector<onnx::TaughtOutput> taught,
            int batch)
      : session_(std::move(session)),
        teacher_(std::move(teacher)),
        samples_(std::move(samples)),
        taught_(std::move(taught)),
        batch_(batch) {}

  std::int64_t images() const override { return samples_.size(); }

  void keep(std::int64_t count) override { samples_.keep(count); }

  Status use(std::shared_ptr<const Model> model) override {
    ASSIGN_OR_RETURN(session_, Session::make(std::move(model), session_.options()));
    return {};
  }

  Status look(int subnet, std::int64_t count,
              const std::function<void(std::span<const float> outputs)>& see) override {
    std::vector<float> inputs, got(session_.model().output_size());
    for (std::int64_t i = 0; i < count; ++i) {
      samples_.fill(i * samples_.size() / count, 1, inputs);
      RETURN_IF_ERROR(session_.run(inputs, 1, subnet, got));
      see(got);
    }
    return {};
  }

  Result<double> of(int subnet) override {
    const std::size_t size = session_.model().output_size();
    std::vector<float> inputs, got, wanted;
    std::vector<double> sums(taught_.size(), 0);
    for (std::int64_t begin = 0; begin < samples_.size(); begin += batch_) {
      const int batch = static_cast<int>(std::min<std::int64_t>(batch_, samples_.size() - begin));
      samples_.fill(begin, batch, inputs);
      got.resize(static_cast<std::size_t>(batch) * size);
      wanted.resize(got.size());
      RETURN_IF_ERROR(session_.run(inputs, batch, subnet, got));
      RETURN_IF_ERROR(teacher_.run(inputs, batch, 0, wanted));
      add(got, wanted, batch, sums);
    }
    double accuracy = 0, weights = 0;
    for (std::size_t i = 0; i < taught_.size(); ++i) {
      accuracy += taught_[i].weight * std::clamp(sums[i] / static_cast<double>(samples_.size()), 0.0, 1.0);
      weights += taught_[i].weight;
    }
    return accuracy / weights;
  }

 private:
  void add(std::span<const float> got, std::span<const float> wanted, int batch,
           std::vector<double>& sums) const {
    for (std::size_t i = 0; i < taught_.size(); ++i) {
      const TensorInfo& output = session_.model().outputs()[i];
      const auto places = static_cast<std::size_t>(output.height) * static_cast<std::size_t>(output.width);
      for (int n = 0; n < batch; ++n) {
        const auto a = got.first(output.size()), b = wanted.first(output.size());
        sums[i] +=
            taught_[i].distribution ? agreement(a, b, places) : 1 - squared_error(a, b) / taught_[i].variance;
        got = got.subspan(output.size());
        wanted = wanted.subspan(output.size());
      }
    }
  }

  Session session_, teacher_;
  Samples samples_;
  std::vector<onnx::TaughtOutput> taught_;
  int batch_;
};

Result<std::shared_ptr<const Model>> teacher_of(const EvaluatedModel& evaluated, const DataOptions& options) {
  if (!options.teacher.empty()) return load_teacher(options.teacher, evaluated);
  return Error{
      "the model was distilled, so its accuracy is its agreement with the network that it learned "
      "from; name that network's file with --teacher"};
}

}  // namespace

Status label_by_teacher(const EvaluatedModel& evaluated, const DataOptions& options, data::ImageSet& set) {
  ASSIGN_OR_RETURN(const auto teacher, teacher_of(evaluated, options));
  ASSIGN_OR_RETURN(Session session, Session::make(teacher, {.threads = threads_of(options)}));
  const std::size_t classes = evaluated.model->classes().size();
  std::vector<float> image(set.image_bytes()), scores(teacher->output_size());
  for (std::int64_t i = 0; i < set.size(); ++i) {
    normalize_pixels(set.image(i), evaluated.model->image(), image);
    RETURN_IF_ERROR(session.run(image, 1, 0, scores));
    set.labels[static_cast<std::size_t>(i)] =
        static_cast<std::int32_t>(preferred(std::span(scores).first(classes), 0, 1));
  }
  return {};
}

Result<std::unique_ptr<Accuracy>> make_agreement(const EvaluatedModel& evaluated,
                                                 const DataOptions& options) {
  ASSIGN_OR_RETURN(const auto teacher, teacher_of(evaluated, options));
  ASSIGN_OR_RETURN(Samples samples, Samples::read(options, evaluated));
  const SessionOptions running{.threads = threads_of(options), .max_batch = options.batch};
  ASSIGN_OR_RETURN(Session session, Session::make(evaluated.model, running));
  ASSIGN_OR_RETURN(Session taught, Session::make(teacher, running));
  return std::unique_ptr<Accuracy>(std::make_unique<Agreement>(
      std::move(session), std::move(taught), std::move(samples), evaluated.taught, options.batch));
}

}  // namespace concertina::apps
