#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/try.h"
#include "common/accuracy.h"
#include "common/progress_bar.h"
#include "common/table.h"
#include "concertina/session.h"
#include "device/options.h"
#include "device/verbs.h"
#include "graph/resolution.h"
#include "onnx/model_file.h"
#include "onnx/rank.h"
#include "peer/onnxruntime.h"
#include "runtime/model_impl.h"
#include "runtime/reference_interpreter.h"

namespace concertina::apps {
namespace {

// What the runtime's outputs may differ by, as a share of the largest value: each side adds in an order of
// its own.
double bound_of(Precision precision) {
  switch (precision) {
    case Precision::fp32:
      return 1e-4;
    case Precision::bf16:
      return 0.05;
    case Precision::int8:
    case Precision::automatic:
      return 0.1;
  }
  return 0;
}

struct VerifyOptions {
  std::string model;
  ModelOptions loading;
  DataOptions data;
  std::string onnxruntime;
  bool json = false;
};

/// What was compared with the runtime for one sub-net; nothing where there was nothing to compare.
struct VerifyRow {
  int subnet = 0;
  double reference = 0;
  std::optional<double> trainer;
  std::optional<double> onnxruntime;
  std::optional<double> accuracy;       ///< of the runtime
  std::optional<double> file_accuracy;  ///< of the trainer, as the file says
  double next = 0;                      ///< difference from the sub-net before; 0 for the first
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
  ASSIGN_OR_RETURN(const Graph graph, at_resolution(file.network.graph, subnet.resolution));
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
  std::ranges::copy(runtime::scaled_images(file.network.graph, subnet, images, onnx::kProbeImages),
                    session.input().begin());
  RETURN_IF_ERROR(session.run());
  return std::vector<float>(session.output().begin(), session.output().end());
}

std::optional<double> accuracy_difference(const VerifyRow& row) {
  if (!row.accuracy || !row.file_accuracy) return {};
  return std::abs(*row.accuracy - *row.file_accuracy);
}

/// Says what is wrong with the rows, a sentence each.
std::vector<std::string> failures(const std::vector<VerifyRow>& rows, const EvaluatedModel& model,
                                  std::int64_t images) {
  const Precision precision = model.model->precision();
  const double logits = bound_of(precision);
  const std::string in_measure = fmt::format("the file in {}", model.measure());
  std::vector<std::string> sentences;
  const auto hold = [&](const VerifyRow& row, const char* what, std::optional<double> value, double limit) {
    if (!value || *value <= limit) return;
    sentences.push_back(fmt::format("sub-net {}: the runtime differs from {} by {:.1e}, more than {:.0e}",
                                    row.subnet, what, *value, limit));
  };
  for (const VerifyRow& row : rows) {
    hold(row, "the reference kernels", row.reference, logits);
    hold(row, "the trainer", row.trainer, logits);
    hold(row, "ONNX Runtime", row.onnxruntime, logits);
    if (const auto difference = accuracy_difference(row))
      hold(row, in_measure.c_str(), difference, accuracy_tolerance(precision, images));
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

/// In text, what compares outputs; in JSON everything.
Table table_of(const onnx::ModelFile& file, const std::vector<VerifyRow>& rows) {
  Table table({{"sub-net", "subnet"},
               {"widths", "widths"},
               {"reference kernels", "from_reference"},
               {"trainer", "from_trainer"},
               {"ONNX Runtime", "from_onnxruntime"},
               {"", "accuracy"},
               {"", "file_accuracy"},
               {"", "from_subnet_before"}});
  const auto json_of = [](const std::optional<double>& value) {
    return unseen(value ? nlohmann::json(*value) : nlohmann::json());
  };
  for (const VerifyRow& row : rows) {
    table.add({whole(row.subnet), words(to_string(file.subnets[row.subnet].subnet)), share(row.reference),
               share(row.trainer), share(row.onnxruntime), json_of(row.accuracy), json_of(row.file_accuracy),
               unseen(row.next)});
  }
  return table;
}

/// The accuracies, in text.
std::string accuracy_text(const onnx::ModelFile& file, const EvaluatedModel& model, const DataOptions& data,
                          const std::vector<VerifyRow>& rows) {
  if (data.data.empty()) return {};
  Table table({{"sub-net", ""}, {"widths", ""}, {"runtime", ""}, {"trainer", ""}});
  for (const VerifyRow& row : rows) {
    table.add({whole(row.subnet), words(to_string(file.subnets[row.subnet].subnet)),
               percent_or_dash(row.accuracy), percent_or_dash(row.file_accuracy)});
  }
  std::string measure = model.measure();
  measure[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(measure[0])));
  return fmt::format("\n{} on the {}:\n\n{}", measure, split_name(data), table.text());
}

std::string text_of(const onnx::ModelFile& file, const EvaluatedModel& model, const DataOptions& data,
                    const std::vector<VerifyRow>& rows) {
  std::string text =
      "Largest difference between the runtime's outputs and those of each, as a share of the largest output:\n\n" +
      table_of(file, rows).text() + accuracy_text(file, model, data, rows);
  if (rows.size() < 2) return text;
  const auto nearest = std::min_element(
      rows.begin() + 1, rows.end(), [](const VerifyRow& a, const VerifyRow& b) { return a.next < b.next; });
  if (nearest->next == 0) return text;  // the failure says so
  return text + fmt::format(
                    "\nEach sub-net computes something different from the one before it; "
                    "the smallest difference is {:.1e} of the largest output (sub-net {}).\n",
                    nearest->next, nearest->subnet);
}

Result<Verdict> verify(const VerifyOptions& options) {
  // Reading checks the table: nested and distinct widths, true sizes, statistics for every batch norm.
  ASSIGN_OR_RETURN(const onnx::ModelFile file, onnx::read_model(options.model));
  auto made = runtime::make_model(file, options.loading);
  if (!made) return Error{fmt::format("'{}': {}", options.model, made.error().message)};
  const EvaluatedModel evaluated = evaluated_model(*std::move(made), file);
  const std::shared_ptr<const Model>& model = evaluated.model;
  ASSIGN_OR_RETURN(Session session, Session::make(model, {.max_batch = onnx::kProbeImages}));
  std::shared_ptr<const peer::OnnxRuntime> library;
  if (!options.onnxruntime.empty()) {
    ASSIGN_OR_RETURN(library, peer::OnnxRuntime::load(options.onnxruntime));
  }
  std::vector<double> accuracies;
  std::int64_t tested = 0;
  if (!options.data.data.empty()) {
    ASSIGN_OR_RETURN(const auto accuracy, Accuracy::make(evaluated, options.data));
    tested = accuracy->images();
    for (std::size_t i = 0; i < file.subnets.size(); ++i) {
      ASSIGN_OR_RETURN(const double share, accuracy->of(static_cast<int>(i)));
      accuracies.push_back(share);
    }
  }
  const std::vector<float> images = onnx::probe_images(file.network.graph);
  std::vector<float> logits(onnx::kProbeImages * model->output_size()), before;
  std::vector<VerifyRow> rows;
  ProgressBar progress;
  progress.start("verify", static_cast<std::int64_t>(file.subnets.size()));
  for (std::size_t i = 0; i < file.subnets.size(); ++i) {
    const onnx::SubnetRecord& record = file.subnets[i];
    VerifyRow row{
        .subnet = static_cast<int>(i), .trainer = {}, .onnxruntime = {}, .accuracy = {}, .file_accuracy = {}};
    RETURN_IF_ERROR(session.run(images, onnx::kProbeImages, row.subnet, logits));
    ASSIGN_OR_RETURN(const auto reference, runtime::reference_run(file.network, record.subnet, record.own,
                                                                  images, onnx::kProbeImages));
    row.reference = difference_of_outputs(*model, logits, reference);
    if (!record.probe_logits.empty())
      row.trainer = difference_of_outputs(*model, logits, record.probe_logits);
    if (library) {
      ASSIGN_OR_RETURN(const auto exported, run_exported(library, file, record.subnet, images));
      row.onnxruntime = difference_of_outputs(*model, logits, exported);
    }
    if (!accuracies.empty()) {
      row.accuracy = accuracies[i];
      row.file_accuracy = trainer_accuracy(model->subnets()[i], options.data);
    }
    if (i > 0) row.next = difference_of_outputs(*model, logits, before);
    before = logits;
    rows.push_back(row);
    progress.update(static_cast<std::int64_t>(i) + 1, "");
  }
  const auto wrong = failures(rows, evaluated, tested);
  fmt::print("{}", options.json ? table_of(file, rows).json().dump(1) + "\n"
                                : text_of(file, evaluated, options.data, rows));
  if (wrong.empty()) return Verdict();
  return Verdict{fmt::format("'{}': {}{}", options.model, wrong.front(),
                             wrong.size() > 1 ? fmt::format("; and {} more", wrong.size() - 1) : "")};
}

void define(CLI::App* verb, VerifyOptions& options) {
  add_model_argument(verb, options.model);
  add_model_options(verb, options.loading);
  add_data_options(verb, options.data);
  add_split_options(verb, options.data);
  add_teacher_option(verb, options.data);
  verb->add_option("--onnxruntime", options.onnxruntime, "also compares with ONNX Runtime")
      ->type_name("libonnxruntime.so");
  add_json_option(verb, options.json);
}

}  // namespace

void add_verify(CLI::App& program, Action& chosen) {
  add_verb<VerifyOptions>(program, chosen, "verify", "Check that every sub-net computes what it claims",
                          "  concertina verify model.onnx\n"
                          "  concertina verify model.onnx --data DIR --onnxruntime libonnxruntime.so\n",
                          define, verify);
}

}  // namespace concertina::apps
