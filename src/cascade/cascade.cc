#include "cascade/cascade.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "concertina/precision.h"

namespace concertina::cascade {

std::string fingerprint(const Model& model) {
  Hash hash;
  for (const SubnetInfo& info : model.subnets()) {
    hash.add(fmt::format("{} {} {} {} {}\n", to_string(info.subnet), info.macs, info.parameters,
                         info.validation_accuracy, info.test_accuracy.value_or(-1)));
  }
  for (const std::string& name : model.classes()) hash.add(name).add("\n");
  const ImageInfo& image = model.image();
  for (std::size_t i = 0; i < image.mean.size(); ++i) {
    hash.add(fmt::format("{} {}\n", image.mean[i], image.stddev[i]));
  }
  if (image.bgr) hash.add("bgr\n");
  return fmt::format("{:016x}", hash.value());
}

Status Cascade::check(const Model& wanted) const {
  if (model != fingerprint(wanted)) {
    return Error{"the cascade was chosen for another model; choose one for this with concertina cascade"};
  }
  if (precision != wanted.precision()) {
    return Error{fmt::format("the cascade was chosen in {}, but the model is loaded in {}",
                             name_of(precision), name_of(wanted.precision()))};
  }
  const auto subnets = static_cast<int>(wanted.subnets().size());
  int last = promise.reference;
  for (const CascadeStage& stage : stages) last = std::max(last, stage.look.subnet);
  if (last < subnets) return {};
  return Error{fmt::format("the cascade names sub-net {}, but the model has {}", last, subnets)};
}

}  // namespace concertina::cascade
