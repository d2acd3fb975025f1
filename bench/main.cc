// Times every size of a few networks against ONNX Runtime running that size as a static model of its own.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <fstream>

#include "base/file.h"
#include "base/machine.h"
#include "base/random.h"
#include "base/statistics.h"
#include "base/try.h"
#include "concertina/session.h"
#include "graph/cost.h"
#include "interleaved.h"
#include "kernels/bf16_conv.h"
#include "kernels/layout.h"
#include "kernels/machine_limits.h"
#include "models.h"
#include "onnx/rank.h"
#include "peer/onnxruntime.h"
#include "report.h"

namespace concertina::bench {
namespace {

struct Options {
  std::string library;
  std::string out;
  std::vector<std::string> networks;  ///< "resnet20" or "resnet20-32"; none = all
  std::string model;
  std::string save;
  std::vector<int> threads = {1, 2};
  std::vector<int> batches;
  Pace pace;
  bool timing_only = false;
  bool fp32_only = false;
};

/// What is measured together: one model.
struct Subject {
  std::string network;
  int size = 0;
  std::vector<int> batches;
  BenchModel model;
};

Result<std::vector<Subject>> subjects(const Options& options) {
  std::vector<Subject> all;
  if (!options.model.empty()) {
    ASSIGN_OR_RETURN(BenchModel model, read_bench_model(options.model));
    all.push_back({std::filesystem::path(options.model).stem(), 0, {1}, std::move(model)});
  } else {
    std::vector<std::string> names;
    for (const Case& c : all_cases()) {
      const auto& wanted = options.networks;
      names.push_back(fmt::format("{}-{}", c.title(), c.size));
      const bool chosen = wanted.empty() ||
                          std::find(wanted.begin(), wanted.end(), c.title()) != wanted.end() ||
                          std::find(wanted.begin(), wanted.end(), names.back()) != wanted.end();
      if (!chosen) continue;
      ASSIGN_OR_RETURN(BenchModel model, make_bench_model(c));
      all.push_back({c.title(), c.size, c.batches, std::move(model)});
    }
    if (all.empty()) return Error{fmt::format("--networks names none of {}", fmt::join(names, ", "))};
  }
  if (!options.batches.empty()) {
    for (Subject& subject : all) subject.batches = options.batches;
  }
  return all;
}

Result<peer::OnnxRuntimeSession> peer_session(const std::shared_ptr<const peer::OnnxRuntime>& peer,
                                              const onnx::ModelFile& file, std::string_view onnx, int batch,
                                              int threads) {
  const Graph& graph = file.network.graph;
  ASSIGN_OR_RETURN(const std::vector<int> ranks, onnx::value_ranks(graph));
  const auto described = [&](NodeId id) {
    const int rank = ranks[id];
    return peer::OnnxRuntimeValue{graph.node(id).name, onnx::onnx_shape(graph.shape(id), rank, batch)};
  };
  std::vector<peer::OnnxRuntimeValue> inputs, outputs;
  for (NodeId id = 0; id < graph.inputs(); ++id) inputs.push_back(described(id));
  for (const NodeId id : graph.outputs()) outputs.push_back(described(id));
  return peer::OnnxRuntimeSession::make(peer, onnx, std::move(inputs), std::move(outputs), threads);
}

void fill(std::span<float> images) {
  const CounterRandom random(5);
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(4 * random.uniform(i) - 2);
}

double largest_difference(std::span<const float> a, std::span<const float> b) {
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = std::max(difference, std::abs(static_cast<double>(a[i]) - b[i]));
    largest = std::max(largest, std::abs(static_cast<double>(b[i])));
  }
  return difference / largest;
}

Status measure(const Subject& subject, const std::shared_ptr<const Model>& model,
               const std::shared_ptr<const peer::OnnxRuntime>& peer, int threads, int batch, const Pace& pace,
               PeerReport& report) {
  const onnx::ModelFile& file = subject.model.file;
  const double peak = kernels::peak_gflops();
  ASSIGN_OR_RETURN(Session session, Session::make(model, {.threads = threads, .max_batch = batch}));
  for (std::size_t i = 0; i < subject.model.subnets.size(); ++i) {
    const NamedSubnet& named = subject.model.subnets[i];
    ASSIGN_OR_RETURN(const std::string onnx, onnx::export_subnet(file, named.subnet));
    ASSIGN_OR_RETURN(peer::OnnxRuntimeSession peer_run, peer_session(peer, file, onnx, batch, threads));
    fill(peer_run.input());
    std::vector<float> logits(peer_run.output().size());
    const auto ours = [&] { return session.run(peer_run.input(), batch, static_cast<int>(i), logits); };
    ASSIGN_OR_RETURN(const Interleaved times, interleave(
                                                  ours, [&] { return peer_run.run(); }, pace));
    const Cost size = cost(file.network.graph, named.subnet);
    report.measurements.push_back({.network = subject.network,
                                   .size = subject.size,
                                   .subnet = named.name,
                                   .widths = to_string(named.subnet),
                                   .macs = size.macs,
                                   .batch = batch,
                                   .threads = threads,
                                   .times = times,
                                   .difference = largest_difference(logits, peer_run.output()),
                                   .peak_gflops = peak});
    const Measurement& m = report.measurements.back();
    fmt::print(
        "{} {} {} batch {} threads {}: "
        "{:.3f} ms, peer {:.3f} ms, ratio {:.3f} ({:.3f} .. {:.3f}), {:.0f} % of the peak\n",
        subject.network, subject.size, m.subnet, batch, threads, times.ours.median_ms, times.peer.median_ms,
        times.ratio, times.ratio_low, times.ratio_high, 100 * m.share_of_peak());
    std::fflush(stdout);
    constexpr double kBound = 1e-3;
    if (!(m.difference < kBound)) {
      return Error{fmt::format("{}, sub-net {}: the two sides' outputs differ by {:.1e} of the largest",
                               subject.network, m.widths, m.difference)};
    }
  }
  return {};
}

Status measure_rounding(const Subject& subject, const std::shared_ptr<const Model>& exact,
                        const std::shared_ptr<const Model>& rounded, int threads, int batch, const Pace& pace,
                        PeerReport& report) {
  const SessionOptions options{.threads = threads, .max_batch = batch};
  ASSIGN_OR_RETURN(Session exact_session, Session::make(exact, options));
  ASSIGN_OR_RETURN(Session rounded_session, Session::make(rounded, options));
  const auto count = static_cast<std::size_t>(batch);
  std::vector<float> images(count * exact->input_size());
  fill(images);
  std::vector<float> wanted(count * exact->output_size()), got(wanted.size());
  for (std::size_t i = 0; i < subject.model.subnets.size(); ++i) {
    const auto run = [&](Session& session, std::vector<float>& logits) {
      return [&] { return session.run(images, batch, static_cast<int>(i), logits); };
    };
    ASSIGN_OR_RETURN(const Interleaved times,
                     interleave(run(rounded_session, got), run(exact_session, wanted), pace));
    report.rounding.push_back({.network = subject.network,
                               .size = subject.size,
                               .subnet = subject.model.subnets[i].name,
                               .batch = batch,
                               .threads = threads,
                               .times = times,
                               .difference = largest_difference(got, wanted),
                               .packed_megabytes = static_cast<double>(rounded->packed_bytes()) / 1e6});
    fmt::print("{} {} {} batch {} threads {}: bf16 {:.3f} ms, fp32 {:.3f} ms\n", subject.network,
               subject.size, subject.model.subnets[i].name, batch, threads, times.ours.median_ms,
               times.peer.median_ms);
    std::fflush(stdout);
  }
  return {};
}

Status measure_switching(const Subject& subject, const std::shared_ptr<const Model>& model,
                         PeerReport& report) {
  ASSIGN_OR_RETURN(Session session, Session::make(model));
  std::vector<float> images(model->input_size()), logits(model->output_size());
  fill(images);
  const int count = static_cast<int>(model->subnets().size());
  const auto run = [&](int subnet) {
    return time_ms([&] { return session.run(images, 1, subnet, logits); });
  };
  constexpr int kTurns = 60;
  for (int subnet = 0; subnet < count; ++subnet) {
    std::vector<double> after_other, after_same;
    for (int turn = 0; turn < kTurns; ++turn) {
      RETURN_IF_ERROR(run((subnet + 1 + turn % (count - 1)) % count));
      ASSIGN_OR_RETURN(const double switched, run(subnet));
      RETURN_IF_ERROR(run(subnet));
      ASSIGN_OR_RETURN(const double stayed, run(subnet));
      after_other.push_back(switched);
      after_same.push_back(stayed);
    }
    report.switching.push_back({subject.network, subject.size, subject.model.subnets[subnet].name,
                                quantile(after_other, 0.5) / quantile(after_same, 0.5)});
  }
  return {};
}

/// Weights and images such as ours are denormal numbers times this.
constexpr float kVanishing = 1e-40F;

Status measure_denormals(const Subject& subject, const std::shared_ptr<const Model>& model, const Pace& pace,
                         PeerReport& report) {
  onnx::ModelFile file = subject.model.file;
  for (auto& [name, array] : file.network.weights) {
    if (!name.ends_with(".weight") && !name.ends_with(".bias")) continue;
    for (float& value : array.values) value *= kVanishing;
  }
  ASSIGN_OR_RETURN(const std::string bytes, onnx::serialize_model(file));
  ASSIGN_OR_RETURN(const auto vanishing, Model::parse(bytes));
  ASSIGN_OR_RETURN(Session ordinary_session, Session::make(model));
  ASSIGN_OR_RETURN(Session session, Session::make(vanishing));
  std::vector<float> images(model->input_size()), logits(model->output_size());
  fill(images);
  std::vector<float> small = images;
  for (float& value : small) value *= kVanishing;
  ASSIGN_OR_RETURN(const Interleaved times,
                   interleave([&] { return session.run(small, 1, 0, logits); },
                              [&] { return ordinary_session.run(images, 1, 0, logits); }, pace));
  report.denormals.push_back({subject.network, subject.size, times});
  return {};
}

double resident_megabytes() {
  std::ifstream statm("/proc/self/statm");
  double all = 0, resident = 0;
  statm >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

struct Spent {
  double ms = 0;
  double megabytes = 0;
};

/// What `load` takes, in a process of its own, so that neither side profits from the other's memory; the
/// process ends before what was loaded is given back.
Result<Spent> in_own_process(const std::function<Status()>& load) {
  int ends[2];
  if (pipe(ends) != 0) return Error{"a pipe cannot be made; close other programs"};
  const pid_t child = fork();
  if (child < 0) return Error{"a process cannot be started; close other programs"};
  if (child == 0) {
    Spent spent;
    const double before = resident_megabytes();
    const Result<double> ms = time_ms(load);
    if (!ms) {
      fmt::print(stderr, "{}\n", ms.error().message);
      _exit(1);
    }
    spent = {*ms, resident_megabytes() - before};
    _exit(write(ends[1], &spent, sizeof spent) == sizeof spent ? 0 : 1);
  }
  close(ends[1]);
  Spent spent;
  const bool told = read(ends[0], &spent, sizeof spent) == sizeof spent;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!told || status != 0) return Error{"loading failed in its own process"};
  return spent;
}

Result<Loading> measure_loading(const Subject& subject, const std::filesystem::path& folder,
                                const std::filesystem::path& library) {
  const onnx::ModelFile& file = subject.model.file;
  const std::filesystem::path ours = folder / "model.onnx";
  RETURN_IF_ERROR(onnx::write_model(ours, file));
  std::vector<std::filesystem::path> exports;
  for (const NamedSubnet& named : subject.model.subnets) {
    ASSIGN_OR_RETURN(const std::string onnx, onnx::export_subnet(file, named.subnet));
    exports.push_back(folder / (named.name + ".onnx"));
    RETURN_IF_ERROR(write_file(exports.back(), onnx));
  }
  // Kept until the process ends.
  std::vector<Session> sessions;
  std::vector<peer::OnnxRuntimeSession> peer_sessions;
  std::shared_ptr<const peer::OnnxRuntime> peer;
  ASSIGN_OR_RETURN(const Spent our_cost, in_own_process([&]() -> Status {
                     ASSIGN_OR_RETURN(const auto model, Model::load(ours));
                     ASSIGN_OR_RETURN(Session session, Session::make(model));
                     sessions.push_back(std::move(session));
                     return {};
                   }));
  ASSIGN_OR_RETURN(const Spent peer_cost, in_own_process([&]() -> Status {
                     ASSIGN_OR_RETURN(peer, peer::OnnxRuntime::load(library));
                     for (const auto& path : exports) {
                       ASSIGN_OR_RETURN(const FileBytes onnx, read_bytes(path));
                       ASSIGN_OR_RETURN(peer::OnnxRuntimeSession session,
                                        peer_session(peer, file, onnx.view(), 1, 1));
                       peer_sessions.push_back(std::move(session));
                     }
                     return {};
                   }));
  ASSIGN_OR_RETURN(const auto model, Model::load(ours));
  const Cost full = cost(file.network.graph, subject.model.subnets.front().subnet);
  return Loading{.network = subject.network,
                 .size = subject.size,
                 .our_ms = our_cost.ms,
                 .peer_ms = peer_cost.ms,
                 .our_megabytes = our_cost.megabytes,
                 .peer_megabytes = peer_cost.megabytes,
                 .packed_megabytes = static_cast<double>(model->packed_bytes()) / 1e6,
                 .full_size_megabytes = 4e-6 * static_cast<double>(full.parameters)};
}

Status compare(const Options& options) {
  ASSIGN_OR_RETURN(const std::vector<Subject> all, subjects(options));
  if (!options.save.empty()) {
    for (const Subject& subject : all) {
      const auto name = fmt::format("{}-{}.onnx", subject.network, subject.size);
      RETURN_IF_ERROR(onnx::write_model(std::filesystem::path(options.save) / name, subject.model.file));
    }
    return {};
  }
  const std::filesystem::path out = options.out;
  PeerReport report{.machine = cpu_name(),
                    .our_target = kernels::target_name(),
                    .peer_version = {},
                    .measurements = {},
                    .loading = {},
                    .switching = {},
                    .denormals = {},
                    .bf16_unit = kernels::bf16_units().empty() ? "" : kernels::bf16_units().front(),
                    .rounding = {}};
  // First, while this process has none of ONNX Runtime's threads.
  if (!options.timing_only) {
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
    RETURN_IF_ERROR(loaded);
  }
  ASSIGN_OR_RETURN(const auto peer, peer::OnnxRuntime::load(options.library));
  report.peer_version = peer->version();
  for (const Subject& subject : all) {
    ASSIGN_OR_RETURN(const std::string bytes, onnx::serialize_model(subject.model.file));
    ASSIGN_OR_RETURN(const auto model, Model::parse(bytes));
    if (!options.timing_only && model->subnets().size() > 1) {
      RETURN_IF_ERROR(measure_switching(subject, model, report));
    }
    if (!options.timing_only) RETURN_IF_ERROR(measure_denormals(subject, model, options.pace, report));
    for (const int threads : options.threads) {
      for (const int batch : subject.batches) {
        RETURN_IF_ERROR(measure(subject, model, peer, threads, batch, options.pace, report));
      }
    }
    if (!report.bf16_unit.empty() && !options.fp32_only) {
      ASSIGN_OR_RETURN(const auto rounded, Model::parse(bytes, {.precision = Precision::bf16}));
      for (const int threads : options.threads) {
        for (const int batch : subject.batches) {
          RETURN_IF_ERROR(measure_rounding(subject, model, rounded, threads, batch, options.pace, report));
        }
      }
    }
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
  program.add_flag("--fp32-only", options.fp32_only, "no runs in bfloat16");
  CLI11_PARSE(program, argc, argv);
  if (const Status status = bench::compare(options); !status) {
    fmt::print(stderr, "concertina-peer: {}\n", status.error().message);
    return 1;
  }
  return 0;
}
