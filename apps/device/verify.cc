#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/try.h"
#include "common/progress_bar.h"
#include "common/table.h"
#include "concertina/session.h"
#include "device/images.h"
#include "device/options.h"
#include "device/verbs.h"
#include "onnx/model_file.h"
#include "onnx/rank.h"
#include "peer/onnxruntime.h"
#include "runtime/model_impl.h"
#include "runtime/reference_interpreter.h"

namespace concertina::apps {
namespace {

/// What the runtime may differ by: outputs as a share of the largest value; top-1, and of few images so many
/// answers.
struct Bounds {
  double logits;
  double top1;
  int answers;
};

// All sides compute in fp32, each adding in an order of its own, which may turn an answer that is nearly a
// tie.
constexpr Bounds kFp32Bounds = {.logits = 1e-4, .top1 = 1e-3, .answers = 1};
constexpr Bounds kBf16Bounds = {.logits = 0.05, .top1 = 0.01, .answers = 3};

struct Options {
  std::string model;
  ModelOptions loading;
  DataOptions data;
  std::string onnxruntime;
  bool json = false;
};

/// What was compared with the runtime for one sub-net; nothing where there was nothing to compare.
struct Row {
  int subnet = 0;
  double reference = 0;
  std::optional<double> trainer;
  std::optional<double> onnxruntime;
  std::optional<double> accuracy;  ///< its difference from what the file says
  double next = 0;                 ///< difference from the sub-net before; 0 for the first
};

double difference(std::span<const float> got, std::span<const float> wanted) {
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!std::isfinite(got[i]) || !std::isfinite(wanted[i])) return INFINITY;
    worst = std::max(worst, std::abs(static_cast<double>(got[i]) - wanted[i]));
    largest = std::max(largest, std::abs(static_cast<double>(wanted[i])));
  }
  return worst / std::max(largest, 1e-30);
}

/// The largest difference(), each of the outputs measured against itself.
double difference_of_outputs(const Model& model, std::span<const float> got, std::span<const float> wanted) {
  double worst = 0;
  for (const TensorInfo& output : model.outputs()) {
    const std::size_t size = onnx::kProbeImages * output.size();
    worst = std::max(worst, difference(got.first(size), wanted.first(size)));
    got = got.subspan(size);
    wanted = wanted.subspan(size);
  }
  return worst;
}

Result<std::vector<float>> run_exported(const std::shared_ptr<const peer::OnnxRuntime>& library,
                                        const onnx::ModelFile& file, const Subnet& subnet,
                                        std::span<const float> images) {
  const Graph& graph = file.network.graph;
  ASSIGN_OR_RETURN(const std::string onnx, onnx::export_subnet(file, subnet));
  ASSIGN_OR_RETURN(const std::vector<int> ranks, onnx::value_ranks(graph));
  const auto described = [&](NodeId id) {
    const int rank = ranks[id];
    return peer::OnnxRuntimeValue{graph.node(id).name,
                                  onnx::onnx_shape(graph.shape(id), rank, onnx::kProbeImages)};
  };
  std::vector<peer::OnnxRuntimeValue> inputs, outputs;
  for (NodeId id = 0; id < graph.inputs(); ++id) inputs.push_back(described(id));
  for (const NodeId id : graph.outputs()) outputs.push_back(described(id));
  ASSIGN_OR_RETURN(peer::OnnxRuntimeSession session,
                   peer::OnnxRuntimeSession::make(library, onnx, std::move(inputs), std::move(outputs), 1));
  std::copy(images.begin(), images.end(), session.input().begin());
  RETURN_IF_ERROR(session.run());
  return std::vector<float>(session.output().begin(), session.output().end());
}

/// Says what is wrong with the rows, a sentence each.
std::vector<std::string> failures(const std::vector<Row>& rows, const Bounds& bounds, std::int64_t images) {
  const double top1 =
      images > 0 ? std::max(bounds.top1, (bounds.answers + 0.5) / static_cast<double>(images)) : bounds.top1;
  std::vector<std::string> sentences;
  const auto hold = [&](const Row& row, const char* what, std::optional<double> value, double limit) {
    if (!value || *value <= limit) return;
    sentences.push_back(fmt::format("sub-net {}: the runtime differs from {} by {:.1e}, more than {:.0e}",
                                    row.subnet, what, *value, limit));
  };
  for (const Row& row : rows) {
    hold(row, "the reference kernels", row.reference, bounds.logits);
    hold(row, "the trainer", row.trainer, bounds.logits);
    hold(row, "ONNX Runtime", row.onnxruntime, bounds.logits);
    hold(row, "the file in top-1", row.accuracy, top1);
    if (row.subnet > 0 && row.next == 0) {
      sentences.push_back(fmt::format("sub-net {} computes the same as the one before", row.subnet));
    }
  }
  return sentences;
}

Table::Cell share(const std::optional<double>& value) {
  if (!value) return {"-", nlohmann::json()};
  return {fmt::format("{:.1e}", *value), *value};
}

Table table_of(const onnx::ModelFile& file, const std::vector<Row>& rows) {
  Table table({{"sub-net", "subnet"},
               {"widths", "widths"},
               {"reference kernels", "from_reference"},
               {"trainer", "from_trainer"},
               {"ONNX Runtime", "from_onnxruntime"},
               {"top-1", "from_test_top1"},
               {"sub-net before", "from_subnet_before"}});
  for (const Row& row : rows) {
    const Table::Cell next = row.subnet > 0 ? share(row.next) : Table::Cell{"-", row.next};
    table.add({whole(row.subnet), words(to_string(file.subnets[row.subnet].subnet)), share(row.reference),
               share(row.trainer), share(row.onnxruntime), share(row.accuracy), next});
  }
  return table;
}

Result<Verdict> verify(const Options& options) {
  // Reading checks the table: nested and distinct widths, true sizes, statistics for every batch norm.
  ASSIGN_OR_RETURN(const onnx::ModelFile file, onnx::read_model(options.model));
  auto made = runtime::make_model(file, options.loading);
  if (!made) return Error{fmt::format("'{}': {}", options.model, made.error().message)};
  const std::shared_ptr<const Model> model = *std::move(made);
  ASSIGN_OR_RETURN(Session session, Session::make(model, {.max_batch = onnx::kProbeImages}));
  std::shared_ptr<const peer::OnnxRuntime> library;
  if (!options.onnxruntime.empty()) {
    ASSIGN_OR_RETURN(library, peer::OnnxRuntime::load(options.onnxruntime));
  }
  std::vector<double> accuracies;
  std::int64_t tested = 0;
  if (!options.data.data.empty()) {
    ASSIGN_OR_RETURN(Accuracy accuracy, Accuracy::make(model, options.data));
    tested = accuracy.images();
    for (std::size_t i = 0; i < file.subnets.size(); ++i) {
      ASSIGN_OR_RETURN(const double top1, accuracy.of(static_cast<int>(i)));
      accuracies.push_back(top1);
    }
  }
  const std::vector<float> images = onnx::probe_images(file.network.graph);
  std::vector<float> logits(onnx::kProbeImages * model->output_size()), before;
  std::vector<Row> rows;
  ProgressBar progress;
  progress.start("verify", static_cast<std::int64_t>(file.subnets.size()));
  for (std::size_t i = 0; i < file.subnets.size(); ++i) {
    const onnx::SubnetRecord& record = file.subnets[i];
    Row row{.subnet = static_cast<int>(i), .trainer = {}, .onnxruntime = {}, .accuracy = {}};
    RETURN_IF_ERROR(session.run(images, onnx::kProbeImages, row.subnet, logits));
    ASSIGN_OR_RETURN(
        const auto reference,
        runtime::reference_run(extract(file.network, record.subnet, record.own), images, onnx::kProbeImages));
    row.reference = difference_of_outputs(*model, logits, reference);
    if (!record.probe_logits.empty())
      row.trainer = difference_of_outputs(*model, logits, record.probe_logits);
    if (library) {
      ASSIGN_OR_RETURN(const auto exported, run_exported(library, file, record.subnet, images));
      row.onnxruntime = difference_of_outputs(*model, logits, exported);
    }
    if (!accuracies.empty() && record.test_accuracy)
      row.accuracy = std::abs(accuracies[i] - *record.test_accuracy);
    if (i > 0) row.next = difference_of_outputs(*model, logits, before);
    before = logits;
    rows.push_back(row);
    progress.update(static_cast<std::int64_t>(i) + 1, "");
  }
  const Table table = table_of(file, rows);
  fmt::print(
      "{}",
      options.json
          ? table.json().dump(1) + "\n"
          : table.text() + "Differences of the runtime from each, as shares of an output's largest value.\n");
  const auto wrong =
      failures(rows, options.loading.precision == Precision::bf16 ? kBf16Bounds : kFp32Bounds, tested);
  if (wrong.empty()) return Verdict();
  return Verdict{fmt::format("'{}': {}{}", options.model, wrong.front(),
                             wrong.size() > 1 ? fmt::format("; and {} more", wrong.size() - 1) : "")};
}

void define(CLI::App* verb, Options& options) {
  add_model_argument(verb, options.model);
  add_model_options(verb, options.loading);
  add_data_options(verb, options.data);
  verb->add_option("--onnxruntime", options.onnxruntime, "runs the exported sub-nets too")
      ->type_name("libonnxruntime.so");
  add_json_option(verb, options.json);
}

}  // namespace

void add_verify(CLI::App& program, Action& chosen) {
  add_verb<Options>(program, chosen, "verify", "Check that every sub-net computes what it claims",
                    "  concertina verify model.onnx\n"
                    "  concertina verify model.onnx --data DIR --onnxruntime libonnxruntime.so\n",
                    define, verify);
}

}  // namespace concertina::apps
