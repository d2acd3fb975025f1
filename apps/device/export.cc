#include <fmt/format.h>

#include <filesystem>

#include "base/try.h"
#include "common/table.h"
#include "device/options.h"
#include "device/verbs.h"
#include "onnx/int8_export.h"
#include "onnx/model_file.h"

namespace concertina::apps {
namespace {

struct ExportOptions {
  std::string model;
  std::string subnet = "all";
  std::string out = ".";
  std::string precision = "fp32";
  bool json = false;
};

Status export_subnets(const ExportOptions& options) {
  ASSIGN_OR_RETURN(const auto model, Model::load(options.model));
  ASSIGN_OR_RETURN(const std::vector<int> subnets, chosen_subnets(*model, options.subnet));
  ASSIGN_OR_RETURN(const onnx::ModelFile file, onnx::read_model(options.model));
  const std::string stem = std::filesystem::path(options.model).stem().string();
  Table table({{"file", "file"}, {"widths", "widths"}, {"", "subnet"}});
  for (const int subnet : subnets) {
    const Subnet& widths = model->subnets()[subnet].subnet;
    const bool int8 = options.precision == "int8";
    const auto path =
        std::filesystem::path(options.out) / fmt::format("{}-{}{}.onnx", stem, subnet, int8 ? "-int8" : "");
    RETURN_IF_ERROR(int8 ? onnx::write_int8(path, file, widths) : onnx::write_subnet(path, file, widths));
    table.add({words(path.string()), words(to_string(widths)), unseen(subnet)});
  }
  constexpr auto replace = nlohmann::json::error_handler_t::replace;  // of paths that are no UTF-8
  fmt::print("{}", options.json ? table.json().dump(1, ' ', false, replace) + "\n" : table.text());
  return {};
}

void define(CLI::App* verb, ExportOptions& options) {
  add_model_argument(verb, options.model);
  add_subnet_option(verb, options.subnet);
  add_word_option(verb, "--precision", options.precision, {"fp32", "int8"},
                  "int8 writes 8-bit weights, and QuantizeLinear and DequantizeLinear between the ops");
  verb->add_option("--out", options.out, "folder for <model>-<number>.onnx, or -int8.onnx")
      ->type_name("DIR")
      ->capture_default_str();
  add_json_option(verb, options.json);
}

}  // namespace

void add_export(CLI::App& program, Action& chosen) {
  add_verb<ExportOptions>(program, chosen, "export", "Write sub-nets as plain static ONNX files",
                          "  concertina export model.onnx --out exported\n"
                          "  concertina export model.onnx --subnet 3 --out exported\n"
                          "  concertina export model.onnx --precision int8\n",
                          define, export_subnets);
}

}  // namespace concertina::apps
