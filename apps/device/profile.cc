#include "profile/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "base/machine.h"
#include "base/try.h"
#include "common/progress_bar.h"
#include "common/shape_option.h"
#include "device/model_options.h"
#include "device/profile_report.h"
#include "device/verbs.h"
#include "graph/networks/networks.h"
#include "graph/random_weights.h"
#include "onnx/model_file.h"
#include "onnx/network_file.h"
#include "runtime/timing_model.h"

namespace concertina::apps {
namespace {

struct Options {
  std::string model;
  std::string out;
  std::string input = "3x32x32";
  int classes = 10;
  double width = 1;
  bool no_layers = false;
  bool json = false;
  profile::ProfileOptions profile;
};

Result<onnx::ModelFile> built_in(const Options& options) {
  ASSIGN_OR_RETURN(const auto input, parse_shape(options.input));
  auto graph = make_network({.name = options.model,
                             .input = input.value_or(Shape{}),
                             .classes = options.classes,
                             .width = options.width});
  if (!graph) {
    return Error{
        fmt::format("'{}' is neither a file nor a network: {}", options.model, graph.error().message)};
  }
  return runtime::file_of({*graph, random_weights(*graph)});
}

/// A dynamic model, any other network, or the name of one.
Result<onnx::ModelFile> open(const Options& options) {
  if (!std::filesystem::exists(options.model)) return built_in(options);
  auto model = onnx::read_model(options.model);
  if (model) return model;
  auto network = onnx::read_network(options.model);  // refuses a damaged model too, saying why
  if (!network) return network.error();
  return runtime::file_of(*std::move(network));
}

Status perform(Options options) {
  if (options.out.empty())
    options.out = std::filesystem::path(options.model).replace_extension(".latency.json");
  options.profile.layers = !options.no_layers;
  ASSIGN_OR_RETURN(onnx::ModelFile model, open(options));
  ProgressBar progress;
  ASSIGN_OR_RETURN(const latency::LatencyTable table,
                   profile::profile(std::move(model), options.profile, SteadyClock(), progress));
  const std::string json = table.to_json();
  RETURN_IF_ERROR(write_file(options.out, json));
  if (options.json) {
    fmt::print("{}", json);
  } else {
    fmt::print("{}The table is {}.\n", report_of(table), options.out);
  }
  return {};
}

}  // namespace

void add_profile(CLI::App& program, Action& chosen) {
  CLI::App* verb = add_verb(program, "profile", "Measure how long sub-nets and layers take on this machine",
                            "  concertina profile model.onnx\n"
                            "  concertina profile model.onnx --batch 1,8 --threads 2 --seconds 120\n"
                            "  concertina profile resnet20 --input 3x32x32 --classes 10\n"
                            "  concertina-train run cifar10-resnet20.toml --set search.cost=latency \\\n"
                            "    --set search.latency_table=resnet20.latency.json\n");
  const auto options = std::make_shared<Options>();
  options->profile.batches = {1, 8};
  if (usable_cores() > 1) options->profile.threads.push_back(2);
  verb->add_option("MODEL", options->model,
                   "dynamic model or any network (.onnx), or the name of a built-in network")
      ->required();
  verb->add_option("-b,--batch", options->profile.batches, "images a run, such as 1,8")
      ->delimiter(',')
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  verb->add_option("-x,--threads", options->profile.threads,
                   "threads of one run, such as 1,2; layers are measured with the first batch on the first")
      ->delimiter(',')
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  verb->add_option("-t,--seconds", options->profile.seconds, "time for all of it")
      ->check(CLI::Range(0.1, 86'400.0))
      ->capture_default_str();
  add_model_options(verb, options->profile.loading);
  verb->add_flag("--no-layers", options->no_layers, "sub-nets only: what a runtime needs, not a search");
  verb->add_option("--input", options->input, "image of a built-in network")->capture_default_str();
  verb->add_option("--classes", options->classes, "of a built-in network")->capture_default_str();
  verb->add_option("--width", options->width, "of a built-in network: multiplies every layer's channels")
      ->capture_default_str();
  verb->add_option("--out", options->out, "where the table goes (default: <model>.latency.json)")
      ->type_name("FILE");
  verb->add_flag("--json", options->json, "print the table as JSON, not for people");
  verb->callback([&chosen, options] { chosen = [options] { return perform(*options); }; });
}

}  // namespace concertina::apps
