#include "device/options.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <numeric>

#include "base/machine.h"
#include "base/text.h"
#include "base/try.h"

namespace concertina::apps {

void add_model_argument(CLI::App* verb, std::string& model) {
  verb->add_option("MODEL", model, "dynamic model (.onnx)")->required();
}

std::string beside_model(const std::string& model, const char* extension) {
  return std::filesystem::path(model).replace_extension(extension);
}

void add_precision_option(CLI::App* verb, Precision& precision) {
  static const std::map<std::string, Precision> names = {{"fp32", Precision::fp32},
                                                         {"bf16", Precision::bf16}};
  verb->add_option("--precision", precision,
                   "fp32, or bf16: convolutions and linear layers in bfloat16 where the machine can")
      ->transform(CLI::CheckedTransformer(names).description("fp32|bf16"))
      ->default_str("fp32");
}

void add_model_options(CLI::App* verb, ModelOptions& options) {
  add_precision_option(verb, options.precision);
  verb->add_option("--tuning", options.tuning,
                   "what concertina tune has written for the model on this machine")
      ->type_name("FILE");
}

void add_run_options(CLI::App* verb, int& threads, int& batch) {
  add_range_option(verb, "-x,--threads", threads, "threads of one run", 1, 256);
  add_range_option(verb, "-b,--batch", batch, "images a run", 1, 4096);
}

void add_subnet_option(CLI::App* verb, std::string& choice) {
  verb->add_option("--subnet", choice,
                   "all, a number from the table (0 = largest), or widths such as 16-12-32")
      ->capture_default_str();
}

Result<std::vector<int>> chosen_subnets(const Model& model, const std::string& choice) {
  const int count = static_cast<int>(model.subnets().size());
  if (choice == "all") {
    std::vector<int> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  if (const auto number = parse_number<int>(choice)) {
    if (*number >= 0 && *number < count) return std::vector<int>{*number};
    return Error{fmt::format("there is no sub-net {}; the model has 0 to {}", *number, count - 1)};
  }
  ASSIGN_OR_RETURN(const Subnet subnet, parse_subnet(choice));
  ASSIGN_OR_RETURN(const int found, model.find(subnet));
  return std::vector<int>{found};
}

void add_pin_option(CLI::App* verb, std::vector<int>& processors, const std::string& what) {
  verb->add_option("--pin", processors, what)->delimiter(',')->check(CLI::Range(0, CPU_SETSIZE - 1));
}

Status pin(const std::vector<int>& processors) {
  if (processors.empty()) return {};
  const Status pinned = pin_thread(pthread_self(), processors);
  return pinned ? pinned : Error{fmt::format("--pin: {}", pinned.error().message)};
}

}  // namespace concertina::apps
