#include "train/images/training_data.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "testing/image_files.h"
#include "testing/temporary_folder.h"

namespace concertina::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Images of one colour: 10, 20 and 30, or one more for each image.
class TrainingDataTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 12; ++i) {
      data::Image image{4, 4, 3, {}};
      for (int pixel = 0; pixel < 16; ++pixel) {
        for (int c = 0; c < 3; ++c) image.pixels.push_back(static_cast<std::uint8_t>(10 * (c + 1) + i));
      }
      folder_.write(fmt::format("train/{}/{}.png", i < 9 ? "a" : "b", 10 + i), testing::to_png(image));
    }
    recipe_.data.path = folder_.path();
    recipe_.data.validation = 2;
  }
  Result<TrainingData> read(int channels = 3) const {
    return read_training_data(recipe_, channels, torch::kCPU, 1);
  }
  /// What the network sees of a pixel of the first image.
  std::vector<double> first_pixel() const {
    const auto data = read();
    EXPECT_TRUE(data) << data.error().message;
    const std::int64_t first[] = {0};
    const torch::Tensor pixel = data->images.batch(first).images()[0].select(1, 0).select(1, 0);
    return {pixel[0].item<double>(), pixel[1].item<double>(), pixel[2].item<double>()};
  }

  const testing::TestFolder folder_;
  recipe::Recipe recipe_;
};

MATCHER_P(IsNear, value, "") {
  return std::abs(arg - value) < 1e-4;
}

TEST_F(TrainingDataTest, ANetworkMayWantOtherPixels) {
  recipe_.data.mean = {0.1, 0.0, 0.0};
  recipe_.data.stddev = {1.0, 1.0, 0.5};
  EXPECT_THAT(first_pixel(), ElementsAre(IsNear(10 / 255.0 - 0.1), IsNear(20 / 255.0), IsNear(60 / 255.0)));
  recipe_.data.channel_order = recipe::ChannelOrder::bgr;
  EXPECT_THAT(first_pixel(), ElementsAre(IsNear(30 / 255.0 - 0.1), IsNear(20 / 255.0), IsNear(20 / 255.0)));
  recipe_.data.range = recipe::PixelRange::to_255;
  recipe_.data.mean = {4, 5, 6};
  recipe_.data.stddev = {};
  EXPECT_THAT(first_pixel(), ElementsAre(IsNear(26), IsNear(15), IsNear(4)));
  recipe_.data.mean = {};
  EXPECT_THAT(first_pixel(), ElementsAre(IsNear(30), IsNear(20), IsNear(10)));
}

// What is measured goes the way of the channels.
TEST_F(TrainingDataTest, MeasuredNumbersAreThoseOfTheirChannels) {
  const std::vector<float> mean = read()->normalization.mean;
  recipe_.data.channel_order = recipe::ChannelOrder::bgr;
  EXPECT_THAT(read()->normalization.mean, ElementsAre(mean[2], mean[1], mean[0]));
}

TEST_F(TrainingDataTest, GrayImagesHaveOneChannel) {
  EXPECT_EQ(read(1)->inputs[0].shape, (Shape{1, 4, 4}));
  recipe_.data.channel_order = recipe::ChannelOrder::bgr;
  EXPECT_THAT(testing::error_of(read(1)), HasSubstr("is for images of three channels, but these have 1"));
}

/// 12 images and maps, half of each map one value and half another.
void write_maps(const testing::TestFolder& folder, const std::string& split, int one, int other) {
  for (int i = 0; i < 12; ++i) {
    data::Image map{4, 4, 1, std::vector<std::uint8_t>(16, static_cast<std::uint8_t>(one))};
    std::fill_n(map.pixels.begin(), 8, static_cast<std::uint8_t>(other));
    const std::string name = std::to_string(i) + ".png";
    folder.write(split + "/images/" + name, testing::to_png(testing::smooth_image(4, 4, 3, i)));
    folder.write(split + "/masks/" + name, testing::to_png(map));
  }
}

// Test maps that happen to lack the class 1 do not turn what is unknown into it, nor the other way round.
TEST(LabelMapsOfADataSet, AreBlackAndWhiteIfThoseOfTrainingAre) {
  for (const bool on_disk : {false, true}) {
    for (const bool black_and_white : {false, true}) {
      const testing::TestFolder folder;
      write_maps(folder, "train", black_and_white ? 0 : 1, 255);
      write_maps(folder, "test", 0, 255);
      recipe::Recipe recipe;
      recipe.task = recipe::Task::segment;
      recipe.data.path = folder.path();
      recipe.data.validation = 2;
      if (on_disk) recipe.data.crop = recipe::Crop::resized;
      if (on_disk) recipe.data.image_size = 4;
      const auto training = read_training_data(recipe, 3, torch::kCPU, 1);
      ASSERT_TRUE(training) << training.error().message;
      EXPECT_EQ(training->black_and_white, black_and_white);
      const auto test = read_test_images(recipe, *training, torch::kCPU, 1);
      ASSERT_TRUE(test) << test.error().message;
      const std::int64_t first[] = {0};
      EXPECT_EQ(test->batch(first).labels.max().item<int>(), black_and_white ? 1 : 255);
    }
  }
}

TEST_F(TrainingDataTest, NoClassIsLostToValidation) {
  for (int seed = 1; seed < 20; ++seed) {
    recipe_.seed = seed;
    recipe_.data.validation = 4;
    const auto data = read();
    ASSERT_TRUE(data) << data.error().message;
    int of_b = 0;
    for (const std::int64_t i : data->validation) of_b += data->labels[static_cast<std::size_t>(i)];
    EXPECT_EQ(of_b, 1);
  }
}

}  // namespace
}  // namespace concertina::train
