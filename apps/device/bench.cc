#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/machine.h"
#include "base/precision.h"
#include "base/statistics.h"
#include "base/try.h"
#include "common/table.h"
#include "device/model_options.h"
#include "device/pin_option.h"
#include "device/subnet_choice.h"
#include "device/timing.h"
#include "device/verbs.h"
#include "kernels/layout.h"
#include "kernels/machine_limits.h"
#include "profile/measure.h"

namespace concertina::apps {
namespace {

struct Options {
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

using Rows = std::vector<std::vector<std::string>>;

/// What is printed: a table for people, or the same as JSON.
struct Report {
  std::string text;
  nlohmann::json json;
};

std::string number(double value, int digits) {
  return fmt::format("{:.{}f}", value, digits);
}

double gflops(std::int64_t macs, int batch, double ms) {
  return 2e-6 * static_cast<double>(macs) * batch / ms;
}

Result<Report> time_subnets(Session& session, const std::vector<int>& subnets, const Options& options) {
  Rows rows = {{"sub-net", "widths", "MMAC", "median ms", "p90 ms", "p99 ms", "images/s", "GFLOP/s"}};
  Report report{.text = {}, .json = nlohmann::json::array()};
  for (const int subnet : subnets) {
    ASSIGN_OR_RETURN(const auto ms, time_runs(session, subnet, options.timing));
    const SubnetInfo& info = session.model().subnets()[subnet];
    const double median = quantile(ms, 0.5), p90 = quantile(ms, 0.9), p99 = quantile(ms, 0.99);
    const double images = 1e3 * options.timing.batch / median;
    const double speed = gflops(info.macs, options.timing.batch, median);
    rows.push_back({std::to_string(subnet), to_string(info.subnet),
                    number(static_cast<double>(info.macs) / 1e6, 2), number(median, 3), number(p90, 3),
                    number(p99, 3), number(images, 0), number(speed, 1)});
    report.json.push_back({{"subnet", subnet},
                           {"widths", to_string(info.subnet)},
                           {"macs", info.macs},
                           {"runs", ms.size()},
                           {"median_ms", median},
                           {"p90_ms", p90},
                           {"p99_ms", p99},
                           {"images_per_second", images},
                           {"gflops", speed}});
  }
  report.text = format_table(rows);
  return report;
}

/// The first run after another sub-net's, against a run after the same one's.
Result<Report> time_switching(Session& session, const std::vector<int>& subnets, const Options& options) {
  Rows rows = {{"sub-net", "run before", "median ms", "first after a switch, ms", "ratio"}};
  Report report{.text = {}, .json = nlohmann::json::array()};
  const int smallest = static_cast<int>(session.model().subnets().size()) - 1;
  for (const int subnet : subnets) {
    const int other = subnet == 0 ? smallest : 0;
    ASSIGN_OR_RETURN(const auto same, time_switches(session, subnet, subnet, options.timing));
    ASSIGN_OR_RETURN(const auto after, time_switches(session, subnet, other, options.timing));
    const double usual = quantile(same, 0.5), first = quantile(after, 0.5);
    rows.push_back({std::to_string(subnet), std::to_string(other), number(usual, 3), number(first, 3),
                    number(first / usual, 3)});
    report.json.push_back(
        {{"subnet", subnet}, {"other", other}, {"median_ms", usual}, {"first_after_switch_ms", first}});
  }
  report.text = format_table(rows);
  return report;
}

Result<Report> profile_subnets(Session& session, const std::vector<int>& subnets, const Options& options) {
  const double peak = kernels::peak_gflops() * options.threads;
  const std::vector<float> images = profile::some_inputs(session.model(), options.timing.batch);
  Report report{.text = {}, .json = nlohmann::json::array()};
  for (const int subnet : subnets) {
    RETURN_IF_ERROR(warm_up(session, subnet, options.timing));
    ASSIGN_OR_RETURN(const auto steps,
                     session.profile(images, options.timing.batch, subnet, options.timing.runs));
    double total = 0;
    for (const StepTime& step : steps) total += step.median_ms;
    Rows rows = {{"step", "kind", "MMAC", "median ms", "of the run", "GFLOP/s", "of the peak"}};
    nlohmann::json list = nlohmann::json::array();
    for (const StepTime& step : steps) {
      const double speed = gflops(step.macs, options.timing.batch, step.median_ms);
      rows.push_back({step.name, step.kind, number(static_cast<double>(step.macs) / 1e6, 2),
                      number(step.median_ms, 4), number(100 * step.median_ms / total, 1) + " %",
                      step.macs > 0 ? number(speed, 1) : "",
                      step.macs > 0 ? number(100 * speed / peak, 0) + " %" : ""});
      list.push_back({{"step", step.name},
                      {"kind", step.kind},
                      {"macs", step.macs},
                      {"median_ms", step.median_ms},
                      {"gflops", speed}});
    }
    report.text += fmt::format(
        "{}sub-net {}, {}: {:.3f} ms in all; peak in fp32 {:.0f} GFLOP/s on {} thread{}\n{}",
        report.text.empty() ? "" : "\n", subnet, to_string(session.model().subnets()[subnet].subnet), total,
        peak, options.threads, options.threads > 1 ? "s" : "", format_table(rows));
    report.json.push_back({{"subnet", subnet}, {"peak_gflops", peak}, {"steps", list}});
  }
  return report;
}

Status bench(const Options& options) {
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

}  // namespace

void add_bench(CLI::App& program, Action& chosen) {
  CLI::App* verb = add_verb(program, "bench", "Time sub-nets on this machine",
                            "  concertina bench model.onnx\n"
                            "  concertina bench model.onnx --subnet 2 --threads 2 --batch 8\n"
                            "  concertina bench model.onnx --subnet 0 --profile\n");
  const auto options = std::make_shared<Options>();
  verb->add_option("MODEL", options->model, "dynamic model (.onnx)")->required();
  add_subnet_option(verb, options->subnet);
  add_model_options(verb, options->loading);
  verb->add_option("-x,--threads", options->threads, "threads of one run")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  verb->add_option("-b,--batch", options->timing.batch, "images a run")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  verb->add_option("--warm-up", options->timing.warm_up, "runs before the timed ones")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  auto* iterations = verb->add_option("-r,--iterations", options->timing.runs, "timed runs")
                         ->check(CLI::Range(1, 10'000'000))
                         ->capture_default_str();
  auto* duration = verb->add_option("-t,--duration", options->timing.seconds,
                                    "seconds to time each sub-net, not --iterations")
                       ->check(CLI::Range(0.001, 86'400.0))
                       ->excludes(iterations);
  add_pin_option(verb, options->processors, "processors to run on, such as 0,1");
  auto* profile =
      verb->add_flag("--profile", options->profile, "time every step of the sub-nets")->excludes(duration);
  verb->add_flag("--switch-test", options->switch_test, "time the first run after a run of another sub-net")
      ->excludes(profile)
      ->excludes(duration);
  verb->add_flag("--json", options->json, "print JSON");
  verb->callback([&chosen, options] { chosen = [options] { return bench(*options); }; });
}

}  // namespace concertina::apps
