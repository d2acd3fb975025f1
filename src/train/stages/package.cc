#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/file.h"
#include "base/try.h"
#include "data/image_set.h"
#include "graph/cost.h"
#include "onnx/model_file.h"
#include "report/run_results.h"
#include "train/joint/joint_state.h"
#include "train/stages/stages.h"
#include "train/supernet/evaluation.h"
#include "train/supernet/supernet.h"

namespace concertina::train {
namespace {

/// What the trainer computes of the probe images, so that the runtime can be held to it.
std::vector<float> probe_logits(const Supernet& net, const Subnet& subnet, const Tensors& own) {
  const torch::NoGradGuard no_grad;
  const Graph& graph = net.graph();
  std::vector<float> images = onnx::probe_images(graph);
  std::vector<torch::Tensor> inputs;
  float* next = images.data();
  for (NodeId id = 0; id < graph.inputs(); ++id) {
    const Shape& shape = graph.shape(id);
    const torch::Tensor input =
        torch::from_blob(next, {onnx::kProbeImages, shape.channels, shape.height, shape.width});
    inputs.push_back(input.to(net.compute().device));
    next += input.numel();
  }
  std::vector<float> all;
  for (const torch::Tensor& value :
       net.values(inputs, graph.outputs(), subnet, {.statistics = &own, .own = &own})) {
    const torch::Tensor logits = value.cpu().contiguous();
    all.insert(all.end(), logits.data_ptr<float>(), logits.data_ptr<float>() + logits.numel());
  }
  return all;
}

/// `own`: parameters of the sub-net's own, on the CPU.
onnx::SubnetRecord record(const Run& run, const Supernet& net, const Subnet& subnet, const Tensors& own) {
  const TrainingData& data = run.data();
  const int batch = run.recipe().training.batch;
  Tensors all = to_tensors(to_weights(own), net.compute().device);
  const ImageBatches images = run.shared_images();
  all.merge(estimate_statistics(net, subnet, all, images,
                                data.first_training(run.recipe().package.norm_images), batch));
  const search::Evaluation evaluation = evaluate(net, subnet, all, images, data.validation);
  return {.subnet = subnet,
          .own = to_weights(all),
          .validation_accuracy = evaluation.accuracy,
          .test_accuracy = {},
          .probe_logits = probe_logits(net, subnet, all)};
}

/// The trained network for a sub-net, and parameters of its own. In fp32, as the runtime will compute, so
/// that the accuracies in the file are the runtime's.
struct Trained {
  Supernet net;
  Tensors own;
};

Result<Trained> read_trained(const Run& run, std::size_t subnet) {
  ASSIGN_OR_RETURN(const Tensors tensors, read_trained_weights(run, subnet));
  ASSIGN_OR_RETURN(Supernet net, Supernet::make(run.graph(), tensors, run.compute().with(Precision::fp32)));
  return Trained{std::move(net), OwnNorms::pick(tensors, subnet)};
}

/// The one look at the test images, after everything is decided.
Status add_test_accuracy(const Run& run, std::vector<onnx::SubnetRecord>& records) {
  ASSIGN_OR_RETURN(const ImageBatches test, run.read_test_images());
  std::vector<std::int64_t> all(static_cast<std::size_t>(test.size()));
  std::iota(all.begin(), all.end(), 0);
  run.progress().start("test", static_cast<std::int64_t>(records.size()));
  for (std::size_t i = 0; i < records.size(); ++i) {
    ASSIGN_OR_RETURN(const Trained trained, read_trained(run, i));
    const Tensors own = to_tensors(records[i].own, run.compute().device);
    records[i].test_accuracy = evaluate(trained.net, records[i].subnet, own, test, all).accuracy;
    RETURN_IF_ERROR(test.status());
    run.progress().update(
        static_cast<std::int64_t>(i) + 1,
        fmt::format("{} {:.2f} %", recipe::measure_of(run.recipe().task), 100 * *records[i].test_accuracy));
  }
  return {};
}

Status write_results(const Run& run, const std::vector<onnx::SubnetRecord>& records) {
  std::vector<report::MeasuredSubnet> subnets;
  for (const onnx::SubnetRecord& one : records) {
    const Cost c = cost(run.graph(), one.subnet);
    subnets.push_back({.subnet = one.subnet,
                       .macs = static_cast<double>(c.macs),
                       .parameters = static_cast<double>(c.parameters),
                       .accuracy = *one.test_accuracy,
                       .validation_accuracy = one.validation_accuracy});
  }
  return write_file(run.file(recipe::Stage::package, "results.json"), report::to_json(subnets));
}

/// The names of the first output's values, if the data has as many classes; of a teacher's classes numbers.
std::vector<std::string> class_names(const Run& run) {
  const Shape& output = run.graph().shape(run.graph().output());
  if (output.height * output.width > 1) return {};
  const std::vector<std::string>& classes = run.data().classes;
  if (classes.size() == static_cast<std::size_t>(output.channels)) return classes;
  std::vector<std::string> numbers;
  const bool of_classes = run.teacher() && run.teacher()->outputs()[0].distribution;
  for (int i = 0; of_classes && i < output.channels; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

/// None if labels are learned.
std::vector<onnx::TaughtOutput> taught_outputs(const Run& run) {
  std::vector<onnx::TaughtOutput> outputs;
  if (!run.teacher()) return outputs;
  for (const Teacher::Output& one : run.teacher()->outputs())
    outputs.push_back({.distribution = one.distribution, .weight = one.weight, .variance = one.variance});
  return outputs;
}

std::optional<onnx::LabelMaps> label_maps(const Run& run) {
  if (run.recipe().task != recipe::Task::segment) return std::nullopt;
  return onnx::LabelMaps{.black_and_white = run.data().black_and_white};
}

/// The one file of all sub-nets.
Status write_dynamic_model(const Run& run, const Supernet& net,
                           const std::vector<onnx::SubnetRecord>& records) {
  Weights weights = to_weights(net.weights());
  weights.insert(records.front().own.begin(), records.front().own.end());
  const recipe::Recipe::Data& data = run.recipe().data;
  const onnx::ModelFile model{
      .network = {run.graph(), std::move(weights)},
      .subnets = records,
      .preprocessing = {run.data().normalization.mean, run.data().normalization.stddev,
                        data.crop == recipe::Crop::resized ? data.resize : 0, run.data().normalization.bgr},
      .classes = class_names(run),
      .validation =
          onnx::ValidationImages{.count = static_cast<std::int64_t>(run.data().validation.size()),
                                 .among = run.data().images.size(),
                                 .seed = run.recipe().seed,
                                 .labels = data::hash_of_labels(run.data().labels, run.data().validation)},
      .taught = taught_outputs(run),
      .teacher = run.teacher() ? std::optional(run.source().file_hash) : std::nullopt,
      .label_maps = label_maps(run)};
  return onnx::write_model(run.model_file(), model);
}

}  // namespace

Result<search::Spending> package(const Run& run) {
  ASSIGN_OR_RETURN(const auto subnets, run.selected());
  std::vector<onnx::SubnetRecord> records;
  run.progress().start("package", static_cast<std::int64_t>(subnets.size()));
  for (const Subnet& subnet : subnets) {
    ASSIGN_OR_RETURN(const Trained trained, read_trained(run, records.size()));
    records.push_back(record(run, trained.net, subnet, trained.own));
    run.progress().update(static_cast<std::int64_t>(records.size()),
                          fmt::format("validation {} {:.2f} %", recipe::measure_of(run.recipe().task),
                                      100 * records.back().validation_accuracy));
  }
  RETURN_IF_ERROR(run.shared_images().status());
  RETURN_IF_ERROR(add_test_accuracy(run, records));
  ASSIGN_OR_RETURN(const Trained largest, read_trained(run, 0));
  const auto write = [&]() -> Status {
    RETURN_IF_ERROR(write_results(run, records));
    // Sub-nets that were trained alone share no weights: there is no dynamic network to write.
    if (run.recipe().joint.method != recipe::JointMethod::together) return {};
    return write_dynamic_model(run, largest.net, records);
  };
  RETURN_IF_ERROR(run.processes().first_does(write));
  return search::Spending{};  // calibration and the final test are the same for every way of training
}

}  // namespace concertina::train
