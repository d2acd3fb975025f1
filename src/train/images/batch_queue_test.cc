#include "train/images/batch_queue.h"

#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <semaphore>
#include <thread>

#include "testing/image_files.h"
#include "testing/temporary_folder.h"

namespace concertina::train {
namespace {

data::ImageSet patterned_images(int count) {
  data::ImageSet set{
      .channels = 3, .height = 6, .width = 5, .pixels = {}, .labels = {}, .classes = {"a", "b"}};
  for (int i = 0; i < count * 90; ++i) set.pixels.push_back(static_cast<std::uint8_t>(i * 7919 % 251));
  for (int i = 0; i < count; ++i) set.labels.push_back(i * 5 % 2);
  return set;
}

const Normalization kAnyNormalization{{0.4F, 0.5F, 0.6F}, {0.3F, 0.2F, 0.1F}};

std::vector<std::int64_t> indices_up_to(std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

void expect_equal_batches(const Batch& got, const Batch& wanted) {
  EXPECT_TRUE(torch::equal(got.images(), wanted.images()));
  EXPECT_TRUE(torch::equal(got.labels, wanted.labels));
  EXPECT_EQ(got.images().strides(), wanted.images().strides());
}

TEST(BatchQueue, GivesTheBatchesThatItsLoopWouldMake) {
  const ImageBatches images(patterned_images(23), kAnyNormalization, torch::kCPU);
  const std::vector<std::int64_t> all = indices_up_to(23);
  const Augmentation augmentation{.pad = 2, .flip = true};
  const auto make = [&](std::int64_t i) {
    return images.augmented(std::span(all).subspan(static_cast<std::size_t>(i), 4), augmentation,
                            static_cast<std::uint64_t>(i));
  };
  BatchQueue queue(images, 19, make);
  for (std::int64_t i = 0; i < 19; ++i) expect_equal_batches(queue.take(), make(i));
}

TEST(BatchQueue, BatchesOfAllImagesAreAsEvenAsCanBe) {
  const ImageBatches images(patterned_images(23), kAnyNormalization, torch::kCPU);
  const std::vector<std::int64_t> all = indices_up_to(23);
  std::vector<std::int64_t> sizes;
  std::size_t begin = 0;
  for_each_batch(images, all, 6, [&](const Batch& batch) {
    const auto size = static_cast<std::size_t>(sizes.emplace_back(batch.labels.size(0)));
    expect_equal_batches(batch, images.batch(std::span(all).subspan(begin, size)));
    begin += size;
  });
  EXPECT_EQ(sizes, (std::vector<std::int64_t>{5, 6, 6, 6}));
}

TEST(BatchQueue, SamplesAreChannelsLast) {
  for (const std::vector<std::int64_t>& shape :
       std::vector<std::vector<std::int64_t>>{{7, 3, 4, 5}, {7, 1, 4, 5}, {7, 3, 1, 1}, {7, 3, 1, 5}}) {
    const torch::Tensor array = torch::randn(shape);
    const ImageBatches samples({array});
    const std::vector<std::int64_t> some = {4, 0, 6};
    const torch::Tensor wanted =
        array.index_select(0, torch::tensor(some)).contiguous(torch::MemoryFormat::ChannelsLast);
    EXPECT_TRUE(torch::equal(samples.batch(some).images(), wanted));
    EXPECT_EQ(samples.batch(some).images().strides(), wanted.strides());
  }
}

// What is ready but not used may be the one that could not be read.
TEST(BatchQueue, AnImageThatCannotBeReadIsKnownOnceItsBatchIsTaken) {
  const testing::TestFolder folder;
  std::vector<std::filesystem::path> files;
  for (int i = 0; i < 12; ++i) {
    const std::string name = std::to_string(i) + ".png";
    folder.write(name, i == 7 ? "no image" : testing::to_png(testing::smooth_image(9, 9, 3, i)));
    files.push_back(folder / name);
  }
  const ImageBatches images(pixels_on_disk({.files = files, .labels = {}, .classes = {}}, false,
                                           {.size = 8, .resize = 8}, 2, torch::kCPU),
                            std::vector<std::int32_t>(12, 0), kAnyNormalization, torch::kCPU);
  int batches = 0;
  for_each_batch(images, indices_up_to(12), 2, [&](const Batch&) {
    if (++batches == 4) {
      EXPECT_FALSE(images.status());
    }
  });
  EXPECT_EQ(batches, 6);
}

/// Black images, each batch a while after it may be made.
class SlowPixels final : public PixelSource {
 public:
  Pixels plain(std::span<const std::int64_t> indices) const override {
    wanted_.acquire();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return {torch::zeros({static_cast<std::int64_t>(indices.size()), 2, 2, 3}, torch::kByte), {}};
  }
  Pixels augmented(std::span<const std::int64_t> indices, const Augmentation&, std::uint64_t) const override {
    return plain(indices);
  }
  void want_one() const { wanted_.release(); }

 private:
  mutable std::counting_semaphore<> wanted_{0};
};

TEST(BatchQueue, CountsWhatItsLoopWaits) {
  const auto pixels = std::make_shared<const SlowPixels>();
  const ImageBatches images(pixels, std::vector<std::int32_t>(50, 0), kAnyNormalization, torch::kCPU);
  const std::vector<std::int64_t> all = indices_up_to(50);
  std::vector<std::span<const std::int64_t>> parts;
  for (std::size_t i = 0; i < 10; ++i) parts.push_back(std::span(all).subspan(i * 5, 5));
  BatchQueue queue(images, parts);
  for (int i = 0; i < 10; ++i) {
    pixels->want_one();
    queue.take();
  }
  EXPECT_EQ(images.waits().batches, 10);
  EXPECT_GT(images.waits().time, Time(0));

  const ImageBatches others(patterned_images(10), kAnyNormalization, torch::kCPU);
  for_each_batch(others.counted_with(images), indices_up_to(10), 5, [](const Batch&) {});
  EXPECT_EQ(images.waits().batches, 12);
  EXPECT_EQ(others.waits().batches, 0);
}

}  // namespace
}  // namespace concertina::train
