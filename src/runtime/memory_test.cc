// Requests for memory fail, one in each call: no exception leaves the C++ API, nothing is lost, and the next
// call works. `src/capi/memory_test.cc` has the same for C.

#include "onnx/model_file.h"
#include "testing/each_allocation.h"
#include "testing/models.h"
#include "testing/temporary_folder.h"

namespace concertina {
namespace {

class MemoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  }

  const Graph graph_ = testing::toy();
  const onnx::ModelFile file_ = testing::model_file(graph_, testing::nested_subnets(graph_, 2));
  const std::string bytes_ = onnx::serialize_model(file_).value();
  const std::shared_ptr<const Model> model_ = testing::load(file_);
};

TEST_F(MemoryTest, MayRunOutWhileAModelIsRead) {
  const testing::TestFolder folder;
  const std::filesystem::path path = folder.write("a model with a long name.onnx", bytes_);
  EXPECT_GT(testing::fail_each_allocation([&] { return Model::parse(bytes_); }), 0);
  EXPECT_GT(testing::fail_each_allocation([&] { return Model::load(path); }), 0);
  const ModelOptions cached{.cache = folder / "cache"};
  EXPECT_GT(testing::fail_each_allocation([&] { return Model::load(path, cached); }), 0);
}

TEST_F(MemoryTest, MayRunOutWhileASessionIsMade) {
  EXPECT_GT(
      testing::fail_each_allocation([&] { return Session::make(model_, {.threads = 3, .max_batch = 2}); }),
      0);
}

TEST_F(MemoryTest, MayRunOutWhileLayersAreTimed) {
  Session session = Session::make(model_, {.threads = 2}).value();
  const testing::Floats images = testing::random_images(*model_, 1);
  EXPECT_GT(testing::fail_each_allocation([&] { return session.profile(images, 1, 0, 2); }), 0);
}

TEST_F(MemoryTest, IsNotNeededToRunAndToEnd) {
  const testing::Floats images = testing::random_images(*model_, 2);
  testing::Floats logits(2 * model_->output_size());
  auto session = std::make_unique<Session>(Session::make(model_, {.threads = 3, .max_batch = 2}).value());
  std::shared_ptr<const Model> own = testing::load(file_);
  const std::int64_t before = testing::allocation_count();
  EXPECT_TRUE(session->run(images, 2, 0, logits));
  session.reset();
  own.reset();
  EXPECT_EQ(testing::allocation_count(), before);
}

/// What fails anyway says so where its sentence needs memory.
TEST_F(MemoryTest, MayRunOutWhileAFailureIsTold) {
  Session session = Session::make(model_).value();
  const Subnet none{.widths = {1, 2, 3}};
  const std::filesystem::path nowhere = "/nowhere/at/all/is/a/model.onnx";
  const auto fail_each = [](auto call) {
    const auto judge = [](const auto& result, bool) {
      ASSERT_FALSE(result);
      EXPECT_NE(result.error().message, "");
    };
    EXPECT_GT(testing::fail_each_allocation(call, judge), 0);
  };
  fail_each([&] { return Model::load(nowhere); });
  fail_each([&] { return Model::parse("no model"); });
  fail_each([&] { return model_->find(none); });
  fail_each([&] { return session.run({}, 1, 0, {}); });
  fail_each([&] { return session.begin({}, 1, 99, {}); });
  fail_each([&] { return session.profile({}, 1, 0, 0); });
  fail_each([&] { return parse_subnet("sixteen by twelve by thirty-two"); });
}

}  // namespace
}  // namespace concertina
