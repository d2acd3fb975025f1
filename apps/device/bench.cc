#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/try.h"
#include "common/table.h"
#include "device/subnet_choice.h"
#include "device/timing.h"
#include "device/verbs.h"

namespace concertina::apps {
namespace {

struct Options {
  std::string model;
  std::string subnet = "all";
  int threads = 1;
  int batch = 1;
  int warm_up = 50;
  int iterations = 500;
  bool json = false;
};

Status bench(const Options& options) {
  CONCERTINA_ASSIGN(const auto model, Model::load(options.model));
  CONCERTINA_ASSIGN(const std::vector<int> subnets, chosen_subnets(*model, options.subnet));
  CONCERTINA_ASSIGN(Session session,
                    Session::make(model, {.threads = options.threads, .max_batch = options.batch}));
  std::vector<std::vector<std::string>> table = {
      {"sub-net", "widths", "MMAC", "median ms", "p90 ms", "p99 ms", "images/s", "GFLOP/s"}};
  nlohmann::json list = nlohmann::json::array();
  for (const int subnet : subnets) {
    CONCERTINA_ASSIGN(const auto ms,
                      time_runs(session, subnet, options.batch, options.warm_up, options.iterations));
    const SubnetInfo& info = model->subnets()[static_cast<std::size_t>(subnet)];
    const double median = quantile(ms, 0.5), p90 = quantile(ms, 0.9), p99 = quantile(ms, 0.99);
    const double images = 1e3 * options.batch / median;
    const double gflops = 2 * static_cast<double>(info.macs) * images / 1e9;
    table.push_back({std::to_string(subnet), to_string(info.subnet),
                     fmt::format("{:.2f}", static_cast<double>(info.macs) / 1e6),
                     fmt::format("{:.3f}", median), fmt::format("{:.3f}", p90), fmt::format("{:.3f}", p99),
                     fmt::format("{:.0f}", images), fmt::format("{:.1f}", gflops)});
    list.push_back({{"subnet", subnet},
                    {"widths", to_string(info.subnet)},
                    {"macs", info.macs},
                    {"median_ms", median},
                    {"p90_ms", p90},
                    {"p99_ms", p99},
                    {"images_per_second", images},
                    {"gflops", gflops}});
  }
  const nlohmann::json all = {{"threads", options.threads}, {"batch", options.batch}, {"subnets", list}};
  fmt::print("{}", options.json ? all.dump(1) + "\n" : format_table(table));
  return {};
}

}  // namespace

void add_bench(CLI::App& program, Action& chosen) {
  CLI::App* verb = add_verb(program, "bench", "Time sub-nets on this machine",
                            "  concertina bench model.onnx\n"
                            "  concertina bench model.onnx --subnet 2 --threads 2 --batch 8\n");
  const auto options = std::make_shared<Options>();
  verb->add_option("MODEL", options->model, "dynamic model (.onnx)")->required();
  add_subnet_option(verb, options->subnet);
  verb->add_option("--threads", options->threads, "threads of one run")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  verb->add_option("--batch", options->batch, "images a run")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  verb->add_option("--warm-up", options->warm_up, "runs before the timed ones")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  verb->add_option("--iterations", options->iterations, "timed runs")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  verb->add_flag("--json", options->json, "print JSON");
  verb->callback([&chosen, options] { chosen = [options] { return bench(*options); }; });
}

}  // namespace concertina::apps
