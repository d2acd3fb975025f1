#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <system_error>

#include "base/clock.h"
#include "base/try.h"
#include "common/interruption.h"
#include "device/options.h"
#include "device/verbs.h"
#include "device/watch_lines.h"
#include "graph/cost.h"
#include "onnx/model_file.h"

namespace concertina::apps {
namespace {

struct WatchOptions {
  std::string model;
  std::string root = "/";
  std::string process = "self";
  int period = 200;  // milliseconds
  int samples = 0;   // 0: until Ctrl-C
  bool once = false;
  bool json = false;
};

/// Multiply-accumulates of the model's sub-nets; without a model one sub-net, which is always allowed.
Result<std::vector<double>> costs_of(const std::string& model) {
  if (model.empty()) return std::vector<double>{1};
  ASSIGN_OR_RETURN(const onnx::ModelFile file, onnx::read_model(model));
  std::vector<double> costs;
  for (const onnx::SubnetRecord& record : file.subnets)
    costs.push_back(static_cast<double>(cost(file.network.graph, record.subnet).macs));
  return costs;
}

void print(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

Status check(const WatchOptions& options) {
  std::error_code code;
  const std::filesystem::path root = options.root;
  if (!std::filesystem::is_directory(root, code))
    return Error{fmt::format("'{}' is no folder; --root takes one with proc/ and sys/ in it", options.root)};
  if (!std::filesystem::is_directory(root / "proc", code))
    return Error{
        fmt::format("'{}' has no proc/; --root takes a folder with proc/ and sys/ in it", options.root)};
  if (options.process != "self" && !std::filesystem::is_directory(root / "proc" / options.process, code))
    return Error{fmt::format("there is no process {}; --pid takes one that runs", options.process)};
  return {};
}

Status watch(const WatchOptions& options) {
  RETURN_IF_ERROR(check(options));
  ASSIGN_OR_RETURN(std::vector<double> costs, costs_of(options.model));
  supervisor::Supervisor supervisor(std::move(costs));
  const supervisor::SignalReader reader(options.root, options.process);
  const SteadyClock clock;
  const Time start = clock.now();
  Interruption interruption;
  const int samples = options.once ? 1 : options.samples;
  for (int i = 0; samples == 0 || i < samples; ++i) {
    if (i > 0 && interruption.within(options.period)) break;
    const supervisor::Signals signals = reader.read();
    const Time now = clock.now();
    const supervisor::Advice advice = supervisor.advise(now, signals);
    const double seconds = to_ms(now - start) / 1000;
    if (i == 0 && !options.json) print(describe(signals) + "\n" + sample_head());
    print(options.json ? sample_json(seconds, signals, advice).dump()
                       : sample_line(seconds, signals, advice));
  }
  return {};
}

void define(CLI::App* verb, WatchOptions& options) {
  verb->add_option("MODEL", options.model,
                   "dynamic model (.onnx): shows its largest sub-net that may run, by multiply-accumulates");
  verb->add_option("--root", options.root, "folder with proc/ and sys/ of the machine to look at")
      ->type_name("DIR")
      ->capture_default_str();
  verb->add_option("--pid", options.process, "process to watch: its threads and cgroups (default: this one)")
      ->check(CLI::PositiveNumber)
      ->type_name("PID");
  add_range_option(verb, "--period", options.period, "milliseconds between two samples", 10, 60'000);
  auto* samples =
      in_range(verb->add_option("--samples", options.samples, "samples to take (default: until Ctrl-C)"), 1,
               1'000'000'000);
  verb->add_flag("--once", options.once, "one sample, without rates, which need two")->excludes(samples);
  add_json_option(verb, options.json, "print JSON, one object a line");
}

}  // namespace

void add_watch(CLI::App& program, Action& chosen) {
  add_verb<WatchOptions>(
      program, chosen, "watch", "Show the machine's pressure, heat and power, and the sub-nets they allow",
      "  concertina watch model.onnx\n  concertina watch --once --json\n  concertina watch --pid 4711\n",
      define, watch);
}

}  // namespace concertina::apps
