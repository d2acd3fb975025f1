#include "device/options.h"

#include <fmt/format.h>

#include <filesystem>
#include <numeric>

#include "base/file.h"
#include "base/machine.h"
#include "base/text.h"
#include "base/try.h"
#include "concertina/precision.h"

namespace concertina::apps {
namespace {

Result<int> find_subnet(const Model& model, const std::string& word) {
  if (const auto number = parse_number<int>(word)) {
    const int count = static_cast<int>(model.subnets().size());
    if (*number >= 0 && *number < count) return *number;
    return Error{fmt::format("there is no sub-net {}; the model has 0 to {}", *number, count - 1)};
  }
  ASSIGN_OR_RETURN(const Subnet subnet, parse_subnet(word));
  return model.find(subnet);
}

}  // namespace

void add_model_argument(CLI::App* verb, std::string& model) {
  verb->add_option("MODEL", model, "dynamic model (.onnx)")->required();
}

Status choose_out(std::string& out, const std::string& model, const char* extension) {
  if (out.empty()) out = std::filesystem::path(model).replace_extension(extension);
  return check_writable(out);
}

void add_precision_option(CLI::App* verb, Precision& precision) {
  add_word_option(
      verb, "--precision", precision, kPrecisions,
      "bf16 runs convolutions and linear layers in bfloat16 where that is faster, if the machine can; int8 "
      "needs a model that concertina-train quantize has seen; auto takes the fastest for each layer, and needs "
      "--tuning");
}

void add_model_options(CLI::App* verb, ModelOptions& options) {
  add_precision_option(verb, options.precision);
  verb->add_option("--tuning", options.tuning, "table of concertina tune for this model and machine")
      ->type_name("FILE");
}

void add_cache_option(CLI::App* verb, ModelOptions& options) {
  verb->add_option("--cache", options.cache,
                   "folder in which the packed weights are kept, so that the next load is faster")
      ->type_name("FOLDER");
}

void add_run_options(CLI::App* verb, int& threads, int& batch) {
  add_threads_option(verb, threads);
  add_batch_option(verb, batch);
}

void add_subnet_option(CLI::App* verb, std::string& choice) {
  verb->add_option("--subnet", choice,
                   "all, or several: numbers from the table (0: the largest) or widths, such as 0,16-12-32")
      ->capture_default_str();
}

Result<std::vector<int>> chosen_subnets(const Model& model, const std::string& choice) {
  const std::size_t count = model.subnets().size();
  if (choice == "all") {
    std::vector<int> all(count);
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  std::vector<int> chosen;
  for (std::size_t begin = 0; begin <= choice.size();) {
    const std::size_t end = std::min(choice.find(',', begin), choice.size());
    ASSIGN_OR_RETURN(const int subnet, find_subnet(model, choice.substr(begin, end - begin)));
    chosen.push_back(subnet);
    begin = end + 1;
  }
  return chosen;
}

void add_pin_option(CLI::App* verb, std::vector<int>& processors, const std::string& what) {
  in_range(add_list_option(verb, "--pin", processors, what), 0, CPU_SETSIZE - 1);
}

Status pin(const std::vector<int>& processors) {
  if (processors.empty()) return {};
  const Status pinned = pin_thread(pthread_self(), processors);
  return pinned ? pinned : Error{fmt::format("--pin: {}", pinned.error().message)};
}

}  // namespace concertina::apps
