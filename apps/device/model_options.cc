#include "device/model_options.h"

#include <map>
#include <string>

namespace concertina::apps {

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

}  // namespace concertina::apps
