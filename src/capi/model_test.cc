#include "concertina/model.h"

#include <cmath>
#include <cstring>
#include <filesystem>

#include "capi/testing.h"
#include "testing/temporary_folder.h"

namespace concertina::testing {
namespace {

using ::testing::HasSubstr;

TEST(CModel, TellsWhatTheCppModelTells) {
  const auto model = open_model();
  const auto wanted = cpp_model();
  EXPECT_EQ(concertina_model_input_size(model.get()), wanted->input_size());
  EXPECT_EQ(concertina_model_output_size(model.get()), wanted->output_size());
  EXPECT_EQ(concertina_model_packed_bytes(model.get()), wanted->packed_bytes());
  auto image = sized<concertina_image_info>();
  ASSERT_EQ(concertina_model_image(model.get(), &image, nullptr), CONCERTINA_OK);
  EXPECT_EQ(image.struct_size, sizeof image);
  EXPECT_EQ(image.channels, 3);
  EXPECT_EQ(image.height, 9);
  EXPECT_EQ(image.width, 9);
  EXPECT_EQ(image.resize, wanted->image().resize);
  EXPECT_EQ(std::vector<float>(image.mean, image.mean + 3), wanted->image().mean);
  EXPECT_EQ(std::vector<float>(image.stddev, image.stddev + 3), wanted->image().stddev);
  const auto classes = wanted->classes();
  ASSERT_EQ(concertina_model_class_count(model.get()), 11);
  for (int i = 0; i < 11; ++i) {
    EXPECT_EQ(concertina_model_class(model.get(), i), classes[i]);
  }
  EXPECT_EQ(concertina_model_class(model.get(), 11), nullptr);
  EXPECT_EQ(concertina_model_class(model.get(), -1), nullptr);
}

TEST(CModel, TellsItsSubnets) {
  const auto model = open_model();
  const auto wanted = cpp_model();
  ASSERT_EQ(concertina_model_subnet_count(model.get()), 4);
  for (int i = 0; i < 4; ++i) {
    const SubnetInfo& known = wanted->subnets()[i];
    auto info = sized<concertina_subnet_info>();
    ASSERT_EQ(concertina_model_subnet(model.get(), i, &info, nullptr), CONCERTINA_OK);
    EXPECT_EQ(info.widths, to_string(known.subnet));
    EXPECT_EQ(info.macs, known.macs);
    EXPECT_EQ(info.parameters, known.parameters);
    EXPECT_EQ(info.validation_accuracy, known.validation_accuracy);
    EXPECT_EQ(std::isnan(info.test_accuracy), !known.test_accuracy.has_value());
    EXPECT_EQ(info.own_bytes, known.own_bytes);
    EXPECT_EQ(info.scratch_bytes, known.scratch_bytes);
    EXPECT_EQ(info.workspace_bytes, known.workspace_bytes);
    EXPECT_EQ(info.height, known.height);
    EXPECT_EQ(info.width, known.width);
    int32_t found = -1;
    EXPECT_EQ(concertina_model_find(model.get(), info.widths, &found, nullptr), CONCERTINA_OK);
    EXPECT_EQ(found, i);
  }
}

TEST(CModel, TellsItsInputsAndOutputs) {
  const Graph graph = testing::two_ends();
  const std::string bytes =
      *onnx::serialize_model(testing::model_file(graph, testing::nested_subnets(graph, 2)));
  const auto wanted = Model::parse(bytes).value();
  concertina_model* opened = nullptr;
  ASSERT_EQ(concertina_model_parse(bytes.data(), bytes.size(), nullptr, &opened, nullptr), CONCERTINA_OK);
  const Owned<concertina_model> model(opened);
  const auto expect = [&](const auto& tensors, int32_t count, auto get) {
    ASSERT_EQ(static_cast<std::size_t>(count), tensors.size());
    for (int32_t i = 0; i < count; ++i) {
      const TensorInfo& known = tensors[i];
      auto info = sized<concertina_tensor_info>();
      ASSERT_EQ(get(model.get(), i, &info, nullptr), CONCERTINA_OK);
      EXPECT_EQ(info.name, known.name);
      EXPECT_EQ(info.channels, known.channels);
      EXPECT_EQ(info.height, known.height);
      EXPECT_EQ(info.width, known.width);
    }
    concertina_error error;
    auto info = sized<concertina_tensor_info>();
    EXPECT_EQ(get(model.get(), count, &info, &error), CONCERTINA_FAILED);
    EXPECT_THAT(error.message, HasSubstr("put number " + std::to_string(count)));
  };
  expect(wanted->inputs(), concertina_model_input_count(model.get()), concertina_model_input);
  expect(wanted->outputs(), concertina_model_output_count(model.get()), concertina_model_output);
}

TEST(CModel, ComesFromAFile) {
  const testing::TestFolder folder;
  const auto path = folder.write("model.onnx", model_bytes());
  concertina_model* opened = nullptr;
  concertina_error error;
  ASSERT_EQ(concertina_model_load(path.c_str(), nullptr, &opened, &error), CONCERTINA_OK) << error.message;
  EXPECT_STREQ(error.message, "");
  const Owned<concertina_model> model(opened);
  EXPECT_EQ(concertina_model_subnet_count(model.get()), 4);
  const std::string nowhere = folder / "nowhere.onnx";
  concertina_model* none = nullptr;
  EXPECT_EQ(concertina_model_load(nowhere.c_str(), nullptr, &none, &error), CONCERTINA_FAILED);
  EXPECT_THAT(error.message, HasSubstr(nowhere));
  EXPECT_EQ(none, nullptr);
}

TEST(CModel, RefusesDamage) {
  concertina_model* none = nullptr;
  concertina_error error;
  EXPECT_EQ(concertina_model_parse(model_bytes().data(), model_bytes().size() / 2, nullptr, &none, &error),
            CONCERTINA_FAILED);
  EXPECT_STRNE(error.message, "");
  EXPECT_EQ(concertina_model_parse("", 0, nullptr, &none, nullptr), CONCERTINA_FAILED);
  EXPECT_EQ(none, nullptr);
}

TEST(CModel, RefusesOptionsThatThereAreNot) {
  const auto parse = [](const concertina_model_options& options, concertina_error& error) {
    concertina_model* none = nullptr;
    const auto status =
        concertina_model_parse(model_bytes().data(), model_bytes().size(), &options, &none, &error);
    EXPECT_EQ(none, nullptr);
    return status;
  };
  concertina_error error;
  auto options = sized<concertina_model_options>();
  options.precision = 7;
  EXPECT_EQ(parse(options, error), CONCERTINA_FAILED);
  EXPECT_THAT(error.message, HasSubstr("precision number 7"));
  options.precision = CONCERTINA_FP32;
  options.tuning = "nowhere.json";
  EXPECT_EQ(parse(options, error), CONCERTINA_FAILED);
  EXPECT_THAT(error.message, HasSubstr("nowhere.json"));
}

TEST(CModel, KeepsPackedWeightsInAFolder) {
  const TestFolder folder;
  const std::string cache = (folder / "cache").string();
  auto options = sized<concertina_model_options>();
  options.cache = cache.c_str();
  for (int i = 0; i < 2; ++i) {
    concertina_model* model = nullptr;
    ASSERT_EQ(concertina_model_parse(model_bytes().data(), model_bytes().size(), &options, &model, nullptr),
              CONCERTINA_OK);
    EXPECT_EQ(concertina_model_packed_bytes(model), cpp_model()->packed_bytes());
    concertina_model_free(model);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(cache), {}), 1);
  }
}

TEST(CModel, IsNeverNull) {
  concertina_error error;
  concertina_model* none = nullptr;
  EXPECT_EQ(concertina_model_load(nullptr, nullptr, &none, &error), CONCERTINA_MISUSED);
  EXPECT_THAT(error.message, HasSubstr("'path'"));
  EXPECT_EQ(concertina_model_load("x", nullptr, nullptr, &error), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_model_parse(nullptr, 1, nullptr, &none, &error), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_model_parse("x", 1, nullptr, nullptr, nullptr), CONCERTINA_MISUSED);
  auto subnet = sized<concertina_subnet_info>();
  auto image = sized<concertina_image_info>();
  auto tensor = sized<concertina_tensor_info>();
  int32_t found = -1;
  EXPECT_EQ(concertina_model_subnet(nullptr, 0, &subnet, &error), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_model_image(nullptr, &image, &error), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_model_input(nullptr, 0, &tensor, &error), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_model_output(nullptr, 0, &tensor, &error), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_model_find(nullptr, "1", &found, &error), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_model_subnet_count(nullptr), 0);
  EXPECT_EQ(concertina_model_input_count(nullptr), 0);
  EXPECT_EQ(concertina_model_output_count(nullptr), 0);
  EXPECT_EQ(concertina_model_class_count(nullptr), 0);
  EXPECT_EQ(concertina_model_class(nullptr, 0), nullptr);
  EXPECT_EQ(concertina_model_input_size(nullptr), 0U);
  EXPECT_EQ(concertina_model_output_size(nullptr), 0U);
  EXPECT_EQ(concertina_model_packed_bytes(nullptr), 0U);
  concertina_model_free(nullptr);
}

TEST(CModel, GivesNothingWhereNothingCanBePut) {
  const auto model = open_model();
  int32_t found = -1;
  EXPECT_EQ(concertina_model_subnet(model.get(), 0, nullptr, nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_model_image(model.get(), nullptr, nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_model_input(model.get(), 0, nullptr, nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_model_output(model.get(), 0, nullptr, nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_model_find(model.get(), nullptr, &found, nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_model_find(model.get(), "1", nullptr, nullptr), CONCERTINA_MISUSED);
  EXPECT_EQ(concertina_model_find(model.get(), "no widths", &found, nullptr), CONCERTINA_FAILED);
  EXPECT_EQ(found, -1);
  auto subnet = sized<concertina_subnet_info>();
  for (const int32_t index : {-1, 4}) {
    concertina_error error;
    EXPECT_EQ(concertina_model_subnet(model.get(), index, &subnet, &error), CONCERTINA_FAILED);
    EXPECT_THAT(error.message, HasSubstr("0 to 3"));
  }
}

}  // namespace
}  // namespace concertina::testing
