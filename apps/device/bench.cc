#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/machine.h"
#include "base/statistics.h"
#include "base/try.h"
#include "common/table.h"
#include "concertina/precision.h"
#include "device/options.h"
#include "device/timing.h"
#include "device/verbs.h"
#include "kernels/layout.h"
#include "kernels/machine_limits.h"
#include "profile/measure_subnets.h"

namespace concertina::apps {
namespace {

struct BenchOptions {
  std::string model;
  std::string subnet = "all";
  ModelOptions loading;
  int threads = 1;
  std::vector<int> processors;
  Timing timing{.warm_up = 50, .runs = 500};
  bool profile = false;
  bool switch_test = false;
  bool json = false;
};

/// What is printed: a table for people, or the same as JSON.
struct Report {
  std::string text;
  nlohmann::json json;
};

Report report_of(const Table& table) {
  return {.text = table.text(), .json = table.json()};
}

double gflops(std::int64_t macs, int batch, double ms) {
  return 2e-6 * static_cast<double>(macs) * batch / ms;
}

Result<Report> time_subnets(Session& session, const std::vector<int>& subnets, const BenchOptions& options) {
  Table table({{"sub-net", "subnet"},
               {"widths", "widths"},
               {"MMAC", "macs"},
               {"", "runs"},
               {"median ms", "median_ms"},
               {"p90 ms", "p90_ms"},
               {"p99 ms", "p99_ms"},
               {"images/s", "images_per_second"},
               {"GFLOP/s", "gflops"}});
  for (const int subnet : subnets) {
    ASSIGN_OR_RETURN(const auto ms, time_runs(session, subnet, options.timing));
    const SubnetInfo& info = session.model().subnets()[subnet];
    const double median = quantile(ms, 0.5);
    table.add({whole(subnet), words(to_string(info.subnet)), millions(info.macs), unseen(ms.size()),
               fixed(median, 3), fixed(quantile(ms, 0.9), 3), fixed(quantile(ms, 0.99), 3),
               fixed(1e3 * options.timing.batch / median, 0),
               fixed(gflops(info.macs, options.timing.batch, median), 1)});
  }
  return report_of(table);
}

/// The first run after another sub-net's, against a run after the same one's.
Result<Report> time_switching(Session& session, const std::vector<int>& subnets,
                              const BenchOptions& options) {
  Table table({{"sub-net", "subnet"},
               {"run before", "other"},
               {"median ms", "median_ms"},
               {"first after a switch, ms", "first_after_switch_ms"},
               {"ratio", ""}});
  const int smallest = static_cast<int>(session.model().subnets().size()) - 1;
  for (const int subnet : subnets) {
    const int other = subnet == 0 ? smallest : 0;
    ASSIGN_OR_RETURN(const auto same, time_switches(session, subnet, subnet, options.timing));
    ASSIGN_OR_RETURN(const auto after, time_switches(session, subnet, other, options.timing));
    const double usual = quantile(same, 0.5), first = quantile(after, 0.5);
    table.add({whole(subnet), whole(other), fixed(usual, 3), fixed(first, 3), fixed(first / usual, 3)});
  }
  return report_of(table);
}

Result<Report> profile_subnets(Session& session, const std::vector<int>& subnets,
                               const BenchOptions& options) {
  const double peak = kernels::peak_gflops() * options.threads;
  const std::vector<float> images = profile::some_inputs(session.model(), options.timing.batch);
  Report report{.text = {}, .json = nlohmann::json::array()};
  for (const int subnet : subnets) {
    RETURN_IF_ERROR(warm_up(session, subnet, options.timing));
    ASSIGN_OR_RETURN(const auto steps,
                     session.profile(images, options.timing.batch, subnet, options.timing.runs));
    double total = 0;
    for (const StepTime& step : steps) total += step.median_ms;
    Table table({{"step", "step"},
                 {"kind", "kind"},
                 {"MMAC", "macs"},
                 {"median ms", "median_ms"},
                 {"of the run", ""},
                 {"GFLOP/s", "gflops"},
                 {"of the peak", ""}});
    for (const StepTime& step : steps) {
      const double speed = gflops(step.macs, options.timing.batch, step.median_ms);
      table.add({words(step.name), words(step.kind), millions(step.macs), fixed(step.median_ms, 4),
                 words(fmt::format("{:.1f} %", 100 * step.median_ms / total)),
                 step.macs > 0 ? fixed(speed, 1) : unseen(speed),
                 words(step.macs > 0 ? fmt::format("{:.0f} %", 100 * speed / peak) : "")});
    }
    report.text += fmt::format(
        "{}sub-net {}, {}: {:.3f} ms in all; peak in fp32 {:.0f} GFLOP/s on {} thread{}\n{}",
        report.text.empty() ? "" : "\n", subnet, to_string(session.model().subnets()[subnet].subnet), total,
        peak, options.threads, options.threads > 1 ? "s" : "", table.text());
    report.json.push_back({{"subnet", subnet}, {"peak_gflops", peak}, {"steps", table.json()}});
  }
  return report;
}

Status bench(const BenchOptions& options) {
  RETURN_IF_ERROR(pin(options.processors));
  ASSIGN_OR_RETURN(const auto model, Model::load(options.model, options.loading));
  ASSIGN_OR_RETURN(const std::vector<int> subnets, chosen_subnets(*model, options.subnet));
  ASSIGN_OR_RETURN(Session session,
                   Session::make(model, {.threads = options.threads, .max_batch = options.timing.batch}));
  const auto measure = options.profile       ? profile_subnets
                       : options.switch_test ? time_switching
                                             : time_subnets;
  ASSIGN_OR_RETURN(const Report report, measure(session, subnets, options));
  const nlohmann::json all = {{"cpu", cpu_name()},
                              {"instruction_set", kernels::target_name()},
                              {"precision", name_of(options.loading.precision)},
                              {"threads", options.threads},
                              {"batch", options.timing.batch},
                              {"subnets", report.json}};
  fmt::print("{}", options.json ? all.dump(1) + "\n" : report.text);
  return {};
}

void define(CLI::App* verb, BenchOptions& options) {
  add_model_argument(verb, options.model);
  add_subnet_option(verb, options.subnet);
  add_model_options(verb, options.loading);
  add_cache_option(verb, options.loading);
  add_run_options(verb, options.threads, options.timing.batch);
  add_range_option(verb, "--warm-up", options.timing.warm_up, "runs before the timed ones", 0, 1'000'000);
  auto* iterations =
      add_range_option(verb, "-r,--iterations", options.timing.runs, "timed runs", 1, 10'000'000);
  auto* seconds = add_seconds_option(verb, options.timing.seconds,
                                     "seconds to time each sub-net, instead of --iterations", 0.001)
                      ->excludes(iterations);
  add_pin_option(verb, options.processors, "processors to run on, such as 0,1");
  auto* profile =
      verb->add_flag("--profile", options.profile, "time every step of the sub-nets")->excludes(seconds);
  verb->add_flag("--switch-test", options.switch_test, "time the first run after a run of another sub-net")
      ->excludes(profile)
      ->excludes(seconds);
  add_json_option(verb, options.json);
}

}  // namespace

void add_bench(CLI::App& program, Action& chosen) {
  add_verb<BenchOptions>(program, chosen, "bench", "Time sub-nets on this machine",
                         "  concertina bench model.onnx\n"
                         "  concertina bench model.onnx --subnet 0,2 --threads 2 --batch 8\n"
                         "  concertina bench model.onnx --subnet 0 --profile\n",
                         define, bench);
}

}  // namespace concertina::apps
