// Times every size of a few networks against ONNX Runtime running that size as a static model of its own.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/machine.h"
#include "base/try.h"
#include "concertina/precision.h"
#include "kernels/bf16_conv.h"
#include "kernels/int8_conv.h"
#include "kernels/layout.h"
#include "loading.h"
#include "measure.h"
#include "report.h"
#include "scales.h"
#include "subjects.h"

namespace concertina::bench {
namespace {

struct Options {
  std::string library;
  std::string out;
  std::vector<std::string> networks;
  std::string model;
  std::string save;
  std::vector<int> threads = {1, 2};
  std::vector<int> batches;
  Pace pace;
  bool timing_only = false;
  std::vector<std::string> precisions;  ///< none = all that the machine has
};

Result<std::vector<Subject>> subjects(const Options& options) {
  std::vector<Subject> all;
  if (!options.model.empty()) {
    ASSIGN_OR_RETURN(Subject read, read_subject(options.model));
    all.push_back(std::move(read));
  } else {
    ASSIGN_OR_RETURN(all, built_in_subjects(options.networks));
  }
  if (!options.batches.empty()) {
    for (Subject& subject : all) subject.batches = options.batches;
  }
  return all;
}

bool measures(const Options& options, Precision precision) {
  const auto& chosen = options.precisions;
  if (!chosen.empty()) return std::find(chosen.begin(), chosen.end(), name_of(precision)) != chosen.end();
  return precision != Precision::bf16 || kernels::best_bf16_unit();
}

Status save(const std::vector<Subject>& all, const std::filesystem::path& folder) {
  for (const Subject& subject : all) {
    const auto name = fmt::format("{}-{}.onnx", subject.network, subject.size);
    RETURN_IF_ERROR(onnx::write_model(folder / name, subject.model.file));
  }
  return {};
}

Status measure_all_loading(const std::vector<Subject>& all, const Options& options, PeerReport& report) {
  std::string folder = (std::filesystem::temp_directory_path() / "concertina-peer-XXXXXX").string();
  if (!mkdtemp(folder.data())) return Error{fmt::format("no folder can be made as '{}'", folder)};
  Status loaded;
  for (const Subject& subject : all) {
    auto loading = measure_loading(subject, folder, options.library);
    if (!loading) {
      loaded = loading.error();
      break;
    }
    report.loading.push_back(*std::move(loading));
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return loaded;
}

Status measure_subject(const Subject& subject, const std::shared_ptr<const peer::OnnxRuntime>& peer,
                       const Options& options, PeerReport& report) {
  ASSIGN_OR_RETURN(const std::string bytes, onnx::serialize_model(subject.model.file));
  ASSIGN_OR_RETURN(const auto fp32, Model::parse(bytes));
  const auto each_setting = [&](const auto& measure) -> Status {
    for (const int threads : options.threads) {
      for (const int batch : subject.batches)
        RETURN_IF_ERROR(measure(Setting{.threads = threads, .batch = batch, .pace = options.pace}));
    }
    return {};
  };
  if (!options.timing_only && fp32->subnets().size() > 1)
    RETURN_IF_ERROR(measure_switching(subject, fp32, report));
  if (!options.timing_only) RETURN_IF_ERROR(measure_denormals(subject, fp32, options.pace, report));
  if (measures(options, Precision::fp32)) {
    RETURN_IF_ERROR(each_setting(
        [&](const Setting& setting) { return measure_fp32(subject, fp32, peer, setting, report); }));
  }
  if (measures(options, Precision::bf16)) {
    ASSIGN_OR_RETURN(const auto bf16, Model::parse(bytes, {.precision = Precision::bf16}));
    RETURN_IF_ERROR(each_setting(
        [&](const Setting& setting) { return measure_bf16(subject, bf16, fp32, setting, report); }));
  }
  if (measures(options, Precision::int8)) {
    ASSIGN_OR_RETURN(const auto int8, Model::parse(bytes, {.precision = Precision::int8}));
    RETURN_IF_ERROR(each_setting(
        [&](const Setting& setting) { return measure_int8(subject, int8, fp32, peer, setting, report); }));
  }
  return {};
}

Status compare(const Options& options) {
  ASSIGN_OR_RETURN(std::vector<Subject> all, subjects(options));
  if (!options.save.empty()) return save(all, options.save);
  const std::filesystem::path out = options.out;
  PeerReport report{.machine = cpu_name(),
                    .our_target = kernels::target_name(),
                    .peer_version = {},
                    .measurements = {},
                    .loading = {},
                    .switching = {},
                    .denormals = {},
                    .bf16_unit = kernels::bf16_units().empty() ? "" : kernels::bf16_units().front(),
                    .rounding = {},
                    .int8_unit = kernels::int8_units().front(),
                    .int8 = {}};
  // First, while this process has none of ONNX Runtime's threads.
  if (!options.timing_only) RETURN_IF_ERROR(measure_all_loading(all, options, report));
  if (measures(options, Precision::int8)) {
    for (Subject& subject : all) RETURN_IF_ERROR(add_scales(subject.model.file));
  }
  ASSIGN_OR_RETURN(const auto peer, peer::OnnxRuntime::load(options.library));
  report.peer_version = peer->version();
  for (const Subject& subject : all) {
    RETURN_IF_ERROR(measure_subject(subject, peer, options, report));
    if (out.empty()) continue;
    RETURN_IF_ERROR(write_file(out / "peer.md", to_markdown(report)));
    RETURN_IF_ERROR(write_file(out / "peer.json", to_json(report)));
  }
  fmt::print("\n{}", to_markdown(report));
  return {};
}

}  // namespace
}  // namespace concertina::bench

int main(int argc, char** argv) {
  using namespace concertina;
  bench::Options options;
  CLI::App program{"Times every size of a few networks against ONNX Runtime.", "concertina-peer"};
  program.add_option("--onnxruntime", options.library, "libonnxruntime.so")->required();
  program.add_option("--out", options.out, "folder for peer.md and peer.json; the last one counts")
      ->take_last();
  program.add_option("--networks", options.networks, "only these: resnet18, vgg11-32, ...")->delimiter(',');
  program.add_option("--model", options.model, "a dynamic model (.onnx) instead of the built-in networks");
  program.add_option("--save", options.save,
                     "an existing folder for the built-in networks as model files, for concertina bench; "
                     "nothing is measured");
  program.add_option("--threads", options.threads, "numbers of threads")
      ->delimiter(',')
      ->check(CLI::Range(1, 256));
  program.add_option("--batch", options.batches, "batch sizes")->delimiter(',')->check(CLI::Range(1, 4096));
  program.add_option("--rounds", options.pace.rounds, "blocks of either side")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  program.add_option("--block-ms", options.pace.block_ms, "milliseconds of a block, at least")
      ->check(CLI::Range(1.0, 1e5))
      ->capture_default_str();
  program.add_flag("--timing-only", options.timing_only,
                   "neither loading, nor switching, nor denormal numbers");
  program
      .add_option("--precisions", options.precisions,
                  "only these of fp32, bf16 and int8; else all for which the machine has instructions")
      ->delimiter(',')
      ->check(CLI::IsMember({"fp32", "bf16", "int8"}));
  CLI11_PARSE(program, argc, argv);
  if (const Status status = bench::compare(options); !status) {
    fmt::print(stderr, "concertina-peer: {}\n", status.error().message);
    return 1;
  }
  return 0;
}
