#include "concertina/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "kernels/reference.h"
#include "onnx/check.h"
#include "runtime/model_impl.h"
#include "testing/allocation_count.h"
#include "testing/models.h"
#include "testing/net.h"
#include "testing/sampled_graphs.h"
#include "testing/temporary_folder.h"

namespace concertina {
namespace {

using testing::Floats;
using ::testing::HasSubstr;

std::shared_ptr<const Model> small_model(int subnets = 4) {
  const Graph graph = testing::branches();
  return testing::load(testing::model_file(graph, testing::nested_subnets(graph, subnets)));
}

TEST(Session, RunsWithoutAllocating) {
  if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  for (const testing::NamedGraph& net : testing::test_graphs()) {
    const Graph graph = net.graph();
    const auto model = testing::load(testing::model_file(graph, testing::nested_subnets(graph, 3)));
    auto session = Session::make(model, {.threads = 2, .max_batch = 2}).value();
    const Floats images = testing::random_images(*model, 2);
    Floats logits(2 * model->output_size());
    const std::int64_t before = testing::allocation_count();
    bool ok = true;
    for (int i = 0; i < static_cast<int>(model->subnets().size()); ++i) {
      ok = ok && session.run(images, 2, i, logits).ok();
    }
    EXPECT_EQ(testing::allocation_count(), before) << net.name;
    EXPECT_TRUE(ok) << net.name;
  }
  EXPECT_GT(testing::allocation_count(), 0);
}

/// Its sub-nets but the first run on smaller images.
std::shared_ptr<const Model> model_of_resolutions() {
  const Graph graph = testing::resnet8();
  std::vector<Subnet> subnets = {full_subnet(graph)};
  for (Subnet& subnet : testing::at_lower_resolutions(graph, subnets[0]))
    subnets.push_back(std::move(subnet));
  return testing::load(testing::model_file(graph, subnets));
}

/// `images` for the sub-net as it runs on them.
Floats of_own_size(const Model& model, const Floats& images, int batch, int subnet) {
  const SubnetInfo& info = model.subnets()[subnet];
  const ImageInfo& whole = model.image();
  return kernels::reference::scale_planes(images, batch * whole.channels, whole.height, whole.width,
                                          info.height, info.width);
}

TEST(Session, TakesImagesOfASubnetsOwnSize) {
  const auto model = model_of_resolutions();
  ASSERT_EQ(model->subnets().size(), 4u);
  EXPECT_EQ(model->subnets()[1].height, 31);
  constexpr int kBatch = 5;
  const Floats images = testing::random_images(*model, kBatch);
  for (const int threads : {1, 2}) {
    auto session = Session::make(model, {.threads = threads, .max_batch = kBatch}).value();
    for (int i = 1; i < 4; ++i) {
      const Floats small = of_own_size(*model, images, kBatch, i);
      ASSERT_LT(small.size(), images.size());
      EXPECT_LE(testing::relative_error(testing::run(session, small, kBatch, i),
                                        testing::run(session, images, kBatch, i)),
                1e-6)
          << i;
    }
  }
  auto session = Session::make(model, {.max_batch = kBatch}).value();
  Floats logits(kBatch * model->output_size());
  const Status refused = session.run(of_own_size(*model, images, kBatch, 1), kBatch, 2, logits);
  ASSERT_FALSE(refused);
  EXPECT_EQ(
      refused.error().message,
      "there are 14415 floats of images where a batch of 5 has 15360, or 11760 at the sub-net's resolution");
}

TEST(Session, ScalesImagesWithoutAllocating) {
  if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  const auto model = model_of_resolutions();
  auto session = Session::make(model, {.threads = 2, .max_batch = 3}).value();
  const Floats images = testing::random_images(*model, 3);
  Floats logits(3 * model->output_size());
  const std::int64_t before = testing::allocation_count();
  bool ok = true;
  for (int i = 0; i < 4; ++i) ok = ok && session.run(images, 3, i, logits).ok();
  EXPECT_EQ(testing::allocation_count(), before);
  EXPECT_TRUE(ok);
}

TEST(Session, ProfilesTheScalingOfImages) {
  const auto model = model_of_resolutions();
  auto session = Session::make(model, {}).value();
  const Floats images = testing::random_images(*model, 1);
  EXPECT_EQ(session.profile(images, 1, 1, 2)->front().kind, "Scale");
  EXPECT_NE(session.profile(images, 1, 0, 2)->front().kind, "Scale");
  EXPECT_EQ(session.steps(1), session.steps(0) + 1);
}

TEST(Session, CountsTheScaledImageAsScratchMemory) {
  const auto model = model_of_resolutions();
  for (std::size_t i = 0; i < model->subnets().size(); ++i) {
    const SubnetInfo& info = model->subnets()[i];
    const runtime::Plan& plan = model->impl().plans[i];
    const std::size_t image = i == 0 ? 0 : std::size_t{3} * info.height * info.width;
    EXPECT_EQ(info.scratch_bytes, (static_cast<std::size_t>(plan.arena_floats) + image) * sizeof(float));
  }
}

TEST(Session, SwitchingLeavesNoTrace) {
  const auto model = small_model();
  const Floats images = testing::random_images(*model, 2);
  auto session = Session::make(model, {.max_batch = 2}).value();
  std::vector<Floats> first;
  for (int i = 0; i < 4; ++i) first.push_back(testing::run_alone(model, {.max_batch = 2}, images, 2, i));
  for (const int i : {0, 3, 1, 2, 0, 1, 3, 3, 0, 2}) {
    EXPECT_EQ(testing::run(session, images, 2, i), first[i]) << i;
  }
}

/// On every thread, in whole runs and in parts; and afterwards the caller computes as before.
TEST(Session, TakesDenormalNumbersForZero) {
#if !defined(__x86_64__) && !defined(__aarch64__)
  GTEST_SKIP() << "this processor's modes are not known";
#endif
  testing::Net net(Shape{2, 24, 24});  // so much work that the session's threads share it
  net.conv("conv", net.input(), 32, Window::square(3, 1, 1), 1, false);
  const Graph graph = net.build();
  onnx::ModelFile file = testing::model_file(graph, {full_subnet(graph)});
  for (float& weight : file.network.weights.at("conv.weight").values) weight = 1e-20F;
  const auto model = testing::load(file);
  const Floats images(model->input_size(), 1e-20F);
  for (const int threads : {1, 3}) {
    auto session = Session::make(model, {.threads = threads}).value();
    Floats logits(model->output_size(), 1);
    ASSERT_TRUE(session.run(images, 1, 0, logits).ok());
    EXPECT_THAT(logits, ::testing::Each(0));
    logits.assign(logits.size(), 1);
    ASSERT_TRUE(session.begin(images, 1, 0, logits).ok());
    while (!session.advance(1)) {
    }
    EXPECT_THAT(logits, ::testing::Each(0));
    volatile float small = 1e-20F;
    EXPECT_GT(small * small, 0);
  }
}

// Whoever comes while another thread is inside is refused; whoever is not refused has the right result.
TEST(Session, RefusesASecondThread) {
  const auto model = small_model();
  const Floats images = testing::random_images(*model, 8);
  const Floats wanted = testing::run_alone(model, {.max_batch = 8}, images, 8, 0);
  auto session = Session::make(model, {.max_batch = 8}).value();
  std::atomic<bool> refused = false;
  const auto run_until_refused = [&] {
    for (int i = 0; i < 10'000 && !refused; ++i) {
      Floats logits(wanted.size());
      const Status status = session.run(images, 8, 0, logits);
      if (status) {
        EXPECT_EQ(logits, wanted);
      } else {
        refused = true;
        EXPECT_THAT(status.error().message, HasSubstr("another thread is using this session"));
        EXPECT_THAT(logits, ::testing::Each(0.0F));
      }
    }
  };
  std::thread other(run_until_refused);
  run_until_refused();
  other.join();
  EXPECT_TRUE(refused);
  EXPECT_EQ(testing::run(session, images, 8, 0), wanted);
}

TEST(Session, ThreadsAndBatchesDoNotChangeResults) {
  const auto model = small_model();
  const Floats images = testing::random_images(*model, 3);
  for (int i = 0; i < 4; ++i) {
    const Floats one = testing::run_alone(model, {.max_batch = 3}, images, 3, i);
    EXPECT_EQ(testing::run_alone(model, {.threads = 3, .max_batch = 7}, images, 3, i), one);
  }
}

TEST(Session, SessionsOnManyThreadsShareAModel) {
  const auto model = small_model();
  const Floats images = testing::random_images(*model, 1);
  std::vector<Floats> alone;
  for (int i = 0; i < 4; ++i) alone.push_back(testing::run_alone(model, {}, images, 1, i));
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        auto session = Session::make(model, {.threads = 1 + t % 2}).value();
        Floats logits(model->output_size());
        for (int i = 0; i < 20; ++i) {
          const int subnet = (i * 3 + t) % 4;
          const bool ok = session.run(images, 1, subnet, logits).ok();
          if (!ok || logits != alone[subnet]) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST(Session, OutlivesTheCallersModel) {
  auto model = small_model();
  const Floats images = testing::random_images(*model, 1);
  const Floats wanted = testing::run_alone(model, {}, images, 1, 1);
  auto session = Session::make(std::move(model)).value();
  Session moved = std::move(session);
  EXPECT_EQ(testing::run(moved, images, 1, 1), wanted);
}

// Another session runs after every fourth step; which these are differs between sub-nets.
TEST(Session, PausedRunsKeepTheirValues) {
  for (const testing::NamedGraph& net : testing::sampled_graphs()) {
    const Graph graph = net.graph();
    const auto model = testing::load(testing::model_file(graph, testing::nested_subnets(graph, 3)));
    const Floats one = testing::random_images(*model, 1), two = testing::random_images(*model, 2);
    auto paused = Session::make(model, {.threads = 2, .max_batch = 2}).value();
    auto other = Session::make(model).value();
    const int subnets = static_cast<int>(model->subnets().size());
    for (int subnet = 0; subnet < subnets; ++subnet) {
      Floats logits(2 * model->output_size());
      ASSERT_TRUE(paused.begin(two, 2, subnet, logits));
      int steps = 1;
      for (; !paused.advance(); ++steps) {
        if ((subnet + steps) % 16 == 0) testing::run(other, one, 1, (subnet + steps / 16) % subnets);
      }
      const int again = model->impl().plans[subnet].per_image_steps;  // for the second image
      EXPECT_EQ(steps, paused.steps(subnet) + again) << net.name;
      EXPECT_EQ(logits, testing::run_alone(model, {.max_batch = 2}, two, 2, subnet)) << net.name;
    }
  }
}

TEST(Session, BeginningAnewAbandonsAPausedRun) {
  const auto model = small_model();
  const Floats images = testing::random_images(*model, 1);
  auto session = Session::make(model).value();
  Floats abandoned(model->output_size(), 5.0F), logits(model->output_size());
  ASSERT_TRUE(session.begin(images, 1, 0, abandoned));
  EXPECT_FALSE(session.advance(session.steps(0) - 1));
  ASSERT_TRUE(session.begin(images, 1, 3, logits));
  EXPECT_TRUE(session.advance(1000));
  EXPECT_EQ(logits, testing::run_alone(model, {}, images, 1, 3));
  EXPECT_EQ(abandoned, Floats(model->output_size(), 5.0F));

  ASSERT_TRUE(session.begin(images, 1, 0, abandoned));
  EXPECT_FALSE(session.advance(2));
  EXPECT_EQ(testing::run(session, images, 1, 1), testing::run_alone(model, {}, images, 1, 1));
  EXPECT_TRUE(session.advance()) << "run() has abandoned it";
  EXPECT_EQ(abandoned, Floats(model->output_size(), 5.0F));

  ASSERT_TRUE(session.begin(images, 1, 0, abandoned));
  ASSERT_TRUE(session.profile(images, 1, 1, 1));
  EXPECT_TRUE(session.advance()) << "profile() has abandoned it";
}

TEST(Session, WhatIsRefusedLeavesAPausedRunInPeace) {
  const auto model = small_model();
  const Floats images = testing::random_images(*model, 1);
  auto session = Session::make(model).value();
  EXPECT_TRUE(session.advance()) << "nothing was begun";
  Floats logits(model->output_size());
  ASSERT_TRUE(session.begin(images, 1, 2, logits));
  EXPECT_FALSE(session.advance(3));
  EXPECT_FALSE(session.advance(0));
  EXPECT_FALSE(session.advance(-1));
  EXPECT_THAT(session.begin(images, 2, 0, logits).error().message, HasSubstr("a batch of 2"));
  EXPECT_THAT(session.begin(images, 1, 4, logits).error().message, HasSubstr("no sub-net number 4"));
  Session moved = std::move(session);
  while (!moved.advance(2)) {
  }
  EXPECT_EQ(logits, testing::run_alone(model, {}, images, 1, 2));
}

TEST(Session, PausesWithoutAllocating) {
  if (testing::allocation_count() < 0) GTEST_SKIP() << "a sanitizer owns operator new";
  const auto model = small_model();
  const Floats images = testing::random_images(*model, 1);
  auto session = Session::make(model, {.threads = 2}).value();
  Floats logits(model->output_size());
  const std::int64_t before = testing::allocation_count();
  bool ok = session.begin(images, 1, 0, logits).ok();
  while (!session.advance()) {
  }
  EXPECT_EQ(testing::allocation_count(), before);
  EXPECT_TRUE(ok);
}

TEST(Session, ProfilesEveryStep) {
  for (const testing::NamedGraph& net : testing::test_graphs()) {
    const Graph graph = net.graph();
    const auto model = testing::load(testing::model_file(graph, testing::nested_subnets(graph, 3)));
    auto session = Session::make(model, {.max_batch = 2}).value();
    for (int subnet = 0; subnet < static_cast<int>(model->subnets().size()); ++subnet) {
      const auto steps = session.profile(testing::random_images(*model, 2), 2, subnet, 3).value();
      std::int64_t macs = 0;
      double ms = 0;
      for (const StepTime& step : steps) {
        macs += step.macs;
        ms += step.median_ms;
        EXPECT_FALSE(step.name.empty() || step.kind.empty()) << net.name;
      }
      EXPECT_EQ(steps.size(), static_cast<std::size_t>(session.steps(subnet))) << net.name;
      EXPECT_EQ(macs, model->subnets()[subnet].macs) << net.name;
      EXPECT_GT(ms, 0) << net.name;
    }
  }
  const auto model = small_model();
  auto session = Session::make(model).value();
  const Floats image = testing::random_images(*model, 1);
  EXPECT_THAT(session.profile(image, 2, 0, 1).error().message, HasSubstr("a batch of 2"));
  EXPECT_THAT(session.profile(image, -1, 0, 1).error().message, HasSubstr("a batch of -1"));
  EXPECT_THAT(session.profile(image, 1, 9, 1).error().message, HasSubstr("no sub-net number 9"));
  EXPECT_THAT(session.profile(image, 1, 0, 0).error().message, HasSubstr("0 runs"));
}

TEST(Session, RefusesOptionsOutOfRange) {
  const auto model = small_model();
  EXPECT_THAT(Session::make(model, {.threads = 0}).error().message, HasSubstr("0 threads"));
  EXPECT_THAT(Session::make(model, {.threads = 257}).error().message, HasSubstr("1 to 256"));
  EXPECT_THAT(Session::make(model, {.max_batch = 0}).error().message, HasSubstr("largest batch cannot be 0"));
  EXPECT_THAT(Session::make(model, {.max_batch = 1 << 30}).error().message, HasSubstr("choose 1 to"));
}

TEST(Session, RefusesWhatDoesNotFit) {
  const auto model = small_model();
  auto session = Session::make(model, {.max_batch = 2}).value();
  const Floats images = testing::random_images(*model, 3);
  const std::span<const float> all(images);
  const std::size_t size = model->image().size();
  Floats logits(33, 5.0F);
  const std::span<float> out(logits);
  const auto message = [&](std::span<const float> x, int batch, int subnet, std::span<float> y) {
    const Status status = session.run(x, batch, subnet, y);
    return status ? std::string("no error") : status.error().message;
  };
  EXPECT_EQ(message(all, 3, 0, out), "a batch of 3 does not fit this session; it takes 1 to 2");
  EXPECT_THAT(message({}, 0, 0, {}), HasSubstr("a batch of 0"));
  EXPECT_THAT(message({}, -1, 0, {}), HasSubstr("a batch of -1"));
  EXPECT_EQ(message(all.first(size), 1, 4, out.first(11)),
            "there is no sub-net number 4; the model has 0 to 3");
  EXPECT_THAT(message(all.first(size), 1, -1, out.first(11)), HasSubstr("no sub-net number -1"));
  EXPECT_EQ(message(all.first(size - 1), 1, 0, out.first(11)),
            "there are 242 floats of images where a batch of 1 has 243");
  EXPECT_EQ(message(all.first(2 * size), 2, 0, out.first(11)),
            "there are 11 floats of logits where a batch of 2 has 22");
  EXPECT_EQ(logits, Floats(33, 5.0F));
  EXPECT_EQ(message(all.first(2 * size), 2, 0, out.first(22)), "no error");
}

TEST(Model, TellsWhatItIs) {
  const Graph graph = testing::resnet8();
  const onnx::ModelFile file = testing::model_file(graph, testing::nested_subnets(graph, 3));
  const auto model = testing::load(file);
  EXPECT_EQ(model->image().channels, 3);
  EXPECT_EQ(model->image().height, 32);
  EXPECT_EQ(model->image().mean, file.preprocessing.mean);
  EXPECT_EQ(model->image().stddev, file.preprocessing.stddev);
  EXPECT_EQ(model->classes().size(), 10U);
  ASSERT_EQ(model->subnets().size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(model->subnets()[i].subnet, file.subnets[i].subnet);
    EXPECT_EQ(*model->find(file.subnets[i].subnet), static_cast<int>(i));
  }
  EXPECT_GT(model->subnets()[0].macs, model->subnets()[1].macs);
  EXPECT_GE(model->subnets()[0].scratch_bytes, model->subnets()[2].scratch_bytes);
  EXPECT_EQ(model->subnets()[0].test_accuracy, file.subnets[0].test_accuracy);
  EXPECT_THAT(model->find({{1, 2, 3}}).error().message,
              HasSubstr("no sub-net 1-2-3; it has " + to_string(file.subnets[0].subnet)));
}

TEST(Model, TellsItsInputsAndOutputs) {
  const Graph graph = testing::two_ends();
  const auto model = testing::load(testing::model_file(graph, testing::nested_subnets(graph, 2)));
  ASSERT_EQ(model->inputs().size(), 2U);
  EXPECT_EQ(model->inputs()[1].name, "second");
  EXPECT_EQ(model->inputs()[1].size(), 12U);
  EXPECT_EQ(model->input_size(), 3U * 6 * 5 + 12);
  EXPECT_EQ(model->image().size(), 3U * 6 * 5);
  ASSERT_EQ(model->outputs().size(), 4U);
  EXPECT_EQ(model->outputs()[1].name, "middle");
  EXPECT_EQ(model->outputs()[1].height, 6);
  EXPECT_EQ(model->output_size(), 5U + 6 * 6 * 5 + 20 + 20);
  EXPECT_EQ(model->classes().size(), 5U);
  EXPECT_TRUE(
      testing::load(testing::model_file(testing::unet(), {full_subnet(testing::unet())}))->classes().empty());
}

TEST(Model, HoldsOneCopyOfTheWeights) {
  const Graph graph = testing::resnet8();
  const auto one = testing::load(testing::model_file(graph, testing::nested_subnets(graph, 1)));
  const auto eight = testing::load(testing::model_file(graph, testing::nested_subnets(graph, 8)));
  ASSERT_EQ(eight->subnets().size(), 8U);
  EXPECT_EQ(eight->packed_bytes(), one->packed_bytes());
  EXPECT_GE(one->packed_bytes(), sizeof(float) * 78000);
  for (const SubnetInfo& info : eight->subnets()) EXPECT_LT(info.own_bytes, one->packed_bytes() / 10);
  EXPECT_GT(one->subnets()[0].workspace_bytes, 0U);  // it has layers for Winograd's algorithm
}

TEST(Model, ComesFromAFile) {
  const Graph graph = testing::branches();
  const onnx::ModelFile file = testing::model_file(graph, testing::nested_subnets(graph, 3));
  const std::string bytes = *onnx::serialize_model(file);
  const auto parsed = Model::parse(bytes);
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto made = testing::load(file);
  const Floats images = testing::random_images(*made, 1);
  EXPECT_EQ(testing::run_alone(*parsed, {}, images, 1, 2), testing::run_alone(made, {}, images, 1, 2));

  const testing::TestFolder folder;
  const std::filesystem::path path = folder / "model.onnx";
  ASSERT_TRUE(onnx::write_model(path, file));
  const auto loaded = Model::load(path);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(testing::run_alone(*loaded, {}, images, 1, 1), testing::run_alone(made, {}, images, 1, 1));
  std::filesystem::remove(path);
  EXPECT_THAT(Model::load(path).error().message, HasSubstr("model.onnx"));
  EXPECT_FALSE(Model::parse(bytes.substr(1)));
}

TEST(Model, RefusesOpaqueOps) {
  testing::Net net({3, 4, 4});
  net.opaque("what", testing::kImage, "LRN", {3, 1, 1});
  onnx::ModelFile file{.network = {net.build(), {}}, .subnets = {{}}, .preprocessing = {}, .classes = {}};
  file.preprocessing.mean.assign(3, 0);
  file.preprocessing.stddev.assign(3, 1);
  file.classes = {"a", "b", "c"};
  ASSERT_TRUE(onnx::check_model(file));
  const auto model = runtime::make_model(file);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().message,
            "node 'what' is the op LRN, which the runtime cannot run; replace it before training");
}

}  // namespace
}  // namespace concertina
