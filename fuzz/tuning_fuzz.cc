// Any bytes as a tuning table. What is accepted must survive being written.

#include <cstdint>
#include <cstdlib>

#include "graph/networks/networks.h"
#include "onnx/model_file.h"
#include "runtime/tuning.h"

using namespace concertina;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const onnx::ModelFile file{.network = {*make_network({.name = "resnet8", .input = {3, 32, 32}}), {}},
                                    .subnets = {},
                                    .preprocessing = {},
                                    .classes = {}};
  const auto tuning = runtime::Tuning::parse({reinterpret_cast<const char*>(data), size});
  if (!tuning) return 0;
  for (const Precision precision : {Precision::fp32, Precision::int8, Precision::automatic})
    (void)tuning->check(file, precision);
  const auto again = runtime::Tuning::parse(tuning->to_json());
  if (!again || !(*again == *tuning)) std::abort();
  return 0;
}
