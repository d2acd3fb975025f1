#include "scales.h"

#include <gtest/gtest.h>

#include "models.h"

namespace concertina::bench {
namespace {

TEST(Scales, EverySubnetHasItsOwn) {
  auto model = make_bench_model({.network = "resnet20", .size = 16, .classes = 10, .batches = {}});
  ASSERT_TRUE(model) << model.error().message;
  const Status added = add_scales(model->file);
  ASSERT_TRUE(added) << added.error().message;
  const auto& subnets = model->file.subnets;
  for (const onnx::SubnetRecord& record : subnets) EXPECT_FALSE(record.quantization.empty());
  EXPECT_NE(subnets.front().quantization, subnets.back().quantization);
  EXPECT_TRUE(onnx::serialize_model(model->file));
}

TEST(Scales, ThoseOfACalibratedModelStay) {
  auto model = make_bench_model({.network = "resnet20", .size = 16, .classes = 10, .batches = {}});
  ASSERT_TRUE(model) << model.error().message;
  for (onnx::SubnetRecord& record : model->file.subnets) record.quantization = {{"a", {.scale = 3}}};
  ASSERT_TRUE(add_scales(model->file));
  for (const onnx::SubnetRecord& record : model->file.subnets)
    EXPECT_EQ(record.quantization, (Quantizations{{"a", {.scale = 3}}}));
}

}  // namespace
}  // namespace concertina::bench
