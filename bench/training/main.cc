// Times our training step against the same network written with LibTorch alone.

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <torch/version.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <map>
#include <sstream>

#include "base/clock.h"
#include "base/file.h"
#include "base/machine.h"
#include "base/try.h"
#include "graph/channel_groups.h"
#include "graph/cost.h"
#include "graph/networks/networks.h"
#include "interleaved.h"
#include "kernels/bf16_conv.h"
#include "kernels/machine_limits.h"
#include "recipe/recipe_fields.h"
#include "train/conv_choice.h"
#include "train/joint/joint_step.h"
#include "train/training_loop.h"
#include "training/plain_network.h"
#include "training_report.h"

namespace concertina::bench {
namespace {

struct Options {
  std::string out;
  std::vector<std::string> networks;  ///< "resnet20" or "resnet20-32"; none = all
  std::vector<std::string> precisions = {"bf16", "fp32"};
  std::vector<std::string> work = {"full", "sandwich", "evaluation"};
  std::vector<int> threads = {1};
  int batch = 64;
  Pace pace{.rounds = 9, .block_ms = 300};
  bool no_memory = false;
  recipe::Convolutions convolutions = recipe::Convolutions::measured;  ///< on our side
  std::string side;  ///< for a profiler: only this one, `calls` times
  int calls = 30;
};

struct NetworkCase {
  std::string network;
  int size = 32;
  int classes = 10;

  std::string title() const { return fmt::format("{}-{}", network, size); }
};

const std::vector<NetworkCase>& all_networks() {
  static const std::vector<NetworkCase> all = {
      {"resnet20", 32}, {"resnet8", 32}, {"vgg11", 32}, {"resnet18", 64, 50}, {"mobilenet_v1", 64, 50}};
  return all;
}

/// Both sides of one measurement: the same weights, images and labels.
struct Sides {
  train::Supernet ours;
  PlainNetwork peer;
  std::vector<Subnet> subnets;  ///< the full one, then x0.25, x0.75 and x0.5
  train::Batch batch;
  train::ScheduledOptimizer our_sgd, peer_sgd;
};

Result<Graph> graph_of(const NetworkCase& c) {
  return make_network({.name = c.network, .input = {3, c.size, c.size}, .classes = c.classes});
}

torch::Dtype dtype_of(const std::string& precision) {
  return precision == "bf16" ? torch::kBFloat16 : torch::kFloat;
}

/// The convolutions that our side takes from LibTorch, as a training run would choose them.
train::ConvChoice choose(const Graph& graph, const std::string& precision, const Options& options) {
  const SteadyClock clock;
  SilentProgress silent;
  const recipe::Recipe::Training training{
      .batch = options.batch,
      .precision = precision == "bf16" ? Precision::bf16 : Precision::fp32,
      .convolutions = options.convolutions};
  const auto measure = [&](const train::ConvKind& kind, const train::ConvPace& pace) {
    return train::measure_kind(kind, pace, clock);
  };
  return train::choose_convolutions({graph, training, {}, {}, {}, measure}, silent)->choice();
}

Result<Sides> make_sides(const NetworkCase& c, const std::string& precision, int batch,
                         const train::ConvChoice& convolutions) {
  constexpr int kGroups = 8;
  ASSIGN_OR_RETURN(const Graph graph, graph_of(c));
  ASSIGN_OR_RETURN(const ChannelGroups groups, divide_channels(graph, kGroups));
  const train::Tensors weights = train::initial_tensors(graph, 1);
  const torch::Dtype dtype = dtype_of(precision);
  ASSIGN_OR_RETURN(train::Supernet ours,
                   train::Supernet::make(graph, weights, {.dtype = dtype, .convolutions = convolutions}));
  ASSIGN_OR_RETURN(PlainNetwork peer, PlainNetwork::make(graph, weights, dtype));
  const recipe::Recipe::Training training;
  train::ScheduledOptimizer our_sgd = train::make_sgd(graph, ours.weights(), training, 1e-3),
                            peer_sgd = train::make_sgd(graph, peer.weights(), training, 1e-3);
  torch::manual_seed(1);
  train::Batch images;
  images.inputs = {torch::randn({batch, 3, c.size, c.size}).contiguous(torch::MemoryFormat::ChannelsLast)};
  images.labels = torch::randint(c.classes, {batch}, torch::kLong);
  return Sides{
      std::move(ours),
      std::move(peer),
      {full_subnet(graph), uniform_subnet(groups, 2), uniform_subnet(groups, 6), uniform_subnet(groups, 4)},
      std::move(images),
      std::move(our_sgd),
      std::move(peer_sgd)};
}

/// The sub-nets of a call.
std::span<const Subnet> subnets_of(const Sides& sides, Work work) {
  if (work == Work::full) return {sides.subnets.data(), 1};
  if (work == Work::evaluation) return {&sides.subnets.back(), 1};
  return sides.subnets;
}

double operations_of(const Sides& sides, Work work, int batch) {
  double macs = 0;
  for (const Subnet& subnet : subnets_of(sides, work))
    macs += static_cast<double>(cost(sides.ours.graph(), subnet).macs);
  return 2 * macs * batch * (work == Work::evaluation ? 1 : 3);
}

/// A call of our side. `value`: the largest's loss, or the mean logit.
void work_ours(Sides& sides, Work work, double& value) {
  if (work == Work::evaluation) {
    const torch::NoGradGuard no_grad;
    value = sides.ours.forward(sides.batch.images(), sides.subnets.back()).square().mean().item<double>();
    return;
  }
  std::vector<train::JointMember> members;
  for (const Subnet& subnet : subnets_of(sides, work)) members.push_back({.subnet = subnet});
  sides.our_sgd.optimizer->zero_grad();
  value = train::train_together(sides.ours, members, sides.batch, {recipe::Distillation::none}).losses[0];
  sides.our_sgd.optimizer->step();
}

void work_peer(Sides& sides, Work work, double& value) {
  if (work == Work::evaluation) {
    const torch::NoGradGuard no_grad;
    value = sides.peer.forward(sides.batch.images(), sides.subnets.back()).square().mean().item<double>();
    return;
  }
  sides.peer_sgd.optimizer->zero_grad();
  bool first = true;
  for (const Subnet& subnet : subnets_of(sides, work)) {
    const torch::Tensor loss = torch::nn::functional::cross_entropy(
        sides.peer.forward(sides.batch.images(), subnet), sides.batch.labels);
    loss.backward();
    if (std::exchange(first, false)) value = loss.item<double>();
  }
  sides.peer_sgd.optimizer->step();
}

double resident_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1e3;
}

/// A measurement to be made.
struct Plan {
  NetworkCase c;
  std::string precision;
  Work work = Work::full;
  int threads = 1;
  train::ConvChoice convolutions = {};
  TrainingMeasurement m = {};
};

/// What `work` gives in a process of its own.
Result<std::string> in_own_process(const std::function<Result<std::string>()>& work) {
  int ends[2];
  if (pipe(ends) != 0) return Error{"a pipe cannot be made; close other programs"};
  const pid_t child = fork();
  if (child < 0) return Error{"a process cannot be started; close other programs"};
  if (child == 0) {
    const auto text = work();
    const bool told = text && write(ends[1], text->data(), text->size()) == std::ssize(*text);
    _exit(told ? 0 : 1);
  }
  close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t count = 0; (count = read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(count));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) return Error{"a step failed in its own process"};
  return text;
}

/// The most memory that three calls of a side take, in a process of their own.
Result<double> megabytes(const Plan& plan, int batch, bool of_ours) {
  ASSIGN_OR_RETURN(const std::string text, in_own_process([&]() -> Result<std::string> {
                     ASSIGN_OR_RETURN(Sides sides,
                                      make_sides(plan.c, plan.precision, batch, plan.convolutions));
                     const double before = resident_megabytes();
                     double value = 0;
                     for (int i = 0; i < 3; ++i)
                       of_ours ? work_ours(sides, plan.work, value) : work_peer(sides, plan.work, value);
                     return fmt::format("{}", resident_megabytes() - before);
                   }));
  return std::stod(text);
}

/// choose(), in a process of its own, so that this one has none of LibTorch's threads and none of its memory.
Status choose_for(Plan& plan, const Options& options) {
  ASSIGN_OR_RETURN(const std::string text, in_own_process([&]() -> Result<std::string> {
                     at::set_num_threads(plan.threads);
                     ASSIGN_OR_RETURN(const Graph graph, graph_of(plan.c));
                     return fmt::format("{}",
                                        fmt::join(choose(graph, plan.precision, options).libtorch, "\n"));
                   }));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) plan.convolutions.libtorch.insert(line);
  plan.m.libtorch_kinds = static_cast<int>(plan.convolutions.libtorch.size());
  return {};
}

/// The plans of one network in one precision have one choice.
Status choose_for_all(std::vector<Plan>& plans, const Options& options) {
  std::map<std::string, const Plan*> chosen;
  for (Plan& plan : plans) {
    const auto [like, first] =
        chosen.emplace(fmt::format("{} {} {}", plan.c.title(), plan.precision, plan.threads), &plan);
    if (first) RETURN_IF_ERROR(choose_for(plan, options));
    plan.convolutions = like->second->convolutions;
    plan.m.libtorch_kinds = like->second->m.libtorch_kinds;
  }
  return {};
}

Status measure(Plan& plan, double peak, const Options& options) {
  const auto& [c, precision, work, threads, convolutions, _] = plan;
  TrainingMeasurement& m = plan.m;
  at::set_num_threads(threads);
  ASSIGN_OR_RETURN(Sides sides, make_sides(c, precision, options.batch, convolutions));
  double ours = 0, peer = 0;
  work_ours(sides, work, ours);
  work_peer(sides, work, peer);
  m.network = c.network;
  m.size = c.size;
  m.work = work;
  m.precision = precision;
  m.batch = options.batch;
  m.threads = threads;
  m.peak_gflops = peak;
  m.operations = operations_of(sides, work, options.batch);
  m.difference = std::abs(ours - peer) / std::max(std::abs(peer), 1e-9);
  const double bound = precision == "bf16" ? 0.05 : 1e-3;
  if (!(m.difference < bound)) {
    return Error{fmt::format("{}, {} in {}: the two sides' results differ, {} and {}", c.title(),
                             name_of(work), precision, ours, peer)};
  }
  const auto call = [&](auto side, double& value) {
    return [&, side]() -> Status {
      side(sides, work, value);
      return {};
    };
  };
  ASSIGN_OR_RETURN(m.times, interleave(call(work_ours, ours), call(work_peer, peer), options.pace));
  return {};
}

bool chosen(const NetworkCase& c, const std::vector<std::string>& wanted) {
  if (wanted.empty()) return true;
  for (const std::string& name : wanted) {
    if (name == c.network || name == c.title()) return true;
  }
  return false;
}

std::vector<Plan> plans_of(const Options& options) {
  const std::pair<const char*, Work> kinds[] = {
      {"full", Work::full}, {"sandwich", Work::sandwich}, {"evaluation", Work::evaluation}};
  std::vector<Plan> plans;
  for (const std::string& precision : options.precisions) {
    for (const int threads : options.threads) {
      for (const NetworkCase& c : all_networks()) {
        for (const auto& [name, work] : kinds) {
          const bool wanted = std::find(options.work.begin(), options.work.end(), name) != options.work.end();
          if (wanted && chosen(c, options.networks))
            plans.push_back({.c = c, .precision = precision, .work = work, .threads = threads});
        }
      }
    }
  }
  return plans;
}

Status run_side(const std::vector<Plan>& plans, const Options& options) {
  for (const Plan& plan : plans) {
    at::set_num_threads(plan.threads);
    ASSIGN_OR_RETURN(Sides sides, make_sides(plan.c, plan.precision, options.batch, plan.convolutions));
    double value = 0;
    for (int i = 0; i < options.calls; ++i)
      options.side == "ours" ? work_ours(sides, plan.work, value) : work_peer(sides, plan.work, value);
  }
  return {};
}

Status compare(const Options& options) {
  std::vector<Plan> plans = plans_of(options);
  if (plans.empty())
    return Error{"--networks names none of resnet20, resnet8, vgg11, resnet18, mobilenet_v1"};
  RETURN_IF_ERROR(choose_for_all(plans, options));
  if (!options.side.empty()) return run_side(plans, options);
  TrainingReport report{
      .machine = cpu_name(), .peer_version = TORCH_VERSION, .units = {}, .measurements = {}};
  for (const std::string& unit : kernels::bf16_units()) report.units.push_back(unit);
  // First, while this process has none of LibTorch's threads.
  for (Plan& plan : plans) {
    if (options.no_memory) break;
    ASSIGN_OR_RETURN(plan.m.our_megabytes, megabytes(plan, options.batch, true));
    ASSIGN_OR_RETURN(plan.m.peer_megabytes, megabytes(plan, options.batch, false));
  }
  for (Plan& plan : plans) {
    const double peak = plan.precision == "bf16" ? kernels::bf16_peak_gflops() : kernels::peak_gflops();
    RETURN_IF_ERROR(measure(plan, peak, options));
    report.measurements.push_back(plan.m);
    const TrainingMeasurement& m = report.measurements.back();
    fmt::print(
        "{} {} {} threads {}: {:.1f} ms, LibTorch {:.1f} ms, {:.2f} ({:.2f} .. {:.2f}) times as fast, "
        "{:.0f} GFLOP/s, {:.0f} % of the peak, {} kinds of convolutions by LibTorch\n",
        plan.c.title(), name_of(m.work), m.precision, m.threads, m.times.ours.median_ms,
        m.times.peer.median_ms, 1 / m.times.ratio, 1 / m.times.ratio_high, 1 / m.times.ratio_low, m.gflops(),
        100 * m.share_of_peak(), m.libtorch_kinds);
    std::fflush(stdout);
    if (options.out.empty()) continue;
    const std::filesystem::path out = options.out;
    RETURN_IF_ERROR(write_file(out / "train.md", to_markdown(report)));
    RETURN_IF_ERROR(write_file(out / "train.json", to_json(report)));
  }
  fmt::print("\n{}", to_markdown(report));
  return {};
}

}  // namespace
}  // namespace concertina::bench

int main(int argc, char** argv) {
  using namespace concertina;
  bench::Options options;
  CLI::App program{"Times our training step against plain LibTorch.", "concertina-train-peer"};
  program.add_option("--out", options.out, "folder for train.md and train.json; the last one counts")
      ->take_last();
  program.add_option("--networks", options.networks, "only these: resnet20, resnet18-64, ...")
      ->delimiter(',');
  program.add_option("--precision", options.precisions, "bf16, fp32")
      ->delimiter(',')
      ->check(CLI::IsMember({"bf16", "fp32"}));
  program.add_option("--work", options.work, "full, sandwich, evaluation")
      ->delimiter(',')
      ->check(CLI::IsMember({"full", "sandwich", "evaluation"}));
  program.add_option("--threads", options.threads, "numbers of threads")
      ->delimiter(',')
      ->check(CLI::Range(1, 256));
  program.add_option("--batch", options.batch, "images of a step")
      ->check(CLI::Range(2, 4096))
      ->capture_default_str();
  program.add_option("--rounds", options.pace.rounds, "blocks of either side")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  program.add_option("--block-ms", options.pace.block_ms, "milliseconds of a block, at least")
      ->check(CLI::Range(1.0, 1e5))
      ->capture_default_str();
  std::string convolutions = "measured";
  program.add_option("--convolutions", convolutions, "whose our side has: measured, own, libtorch")
      ->check(CLI::IsMember({"measured", "own", "libtorch"}))
      ->capture_default_str();
  program.add_flag("--no-memory", options.no_memory, "does not measure memory");
  program
      .add_option("--side", options.side, "for a profiler: runs only ours or libtorch, and measures nothing")
      ->check(CLI::IsMember({"ours", "libtorch"}));
  program.add_option("--calls", options.calls, "how often --side runs it")->capture_default_str();
  CLI11_PARSE(program, argc, argv);
  const auto& words = recipe::kNames<recipe::Convolutions>;
  options.convolutions =
      static_cast<recipe::Convolutions>(std::find(words.begin(), words.end(), convolutions) - words.begin());
  if (const Status status = bench::compare(options); !status) {
    fmt::print(stderr, "concertina-train-peer: {}\n", status.error().message);
    return 1;
  }
  return 0;
}
