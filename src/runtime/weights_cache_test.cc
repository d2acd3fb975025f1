#include "runtime/weights_cache.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "base/file.h"
#include "base/machine.h"
#include "kernels/bf16_conv.h"
#include "kernels/int8_conv.h"
#include "kernels/layout.h"
#include "kernels/testing/targets.h"
#include "runtime/calibration.h"
#include "runtime/model_impl.h"
#include "runtime/tuning.h"
#include "testing/models.h"
#include "testing/temporary_folder.h"

namespace concertina::runtime {
namespace {

namespace fs = std::filesystem;
using testing::Floats;

constexpr int kCacheBatch = 2;

int filters_packed(const std::shared_ptr<const Model>& model) {
  return model->impl().packed.filters_packed();
}

std::string_view packed(const std::shared_ptr<const Model>& model) {
  return model->impl().packed.view();
}

std::vector<Floats> logits_of(const std::shared_ptr<const Model>& model) {
  const Floats images = testing::random_images(*model, kCacheBatch);
  std::vector<Floats> all;
  for (int i = 0; i < static_cast<int>(model->subnets().size()); ++i)
    all.push_back(testing::run_alone(model, {.max_batch = kCacheBatch}, images, kCacheBatch, i));
  return all;
}

/// A table in which each layer has the packing that is `turn` places behind the best.
Tuning table_of(const onnx::ModelFile& file, Precision precision, std::size_t turn) {
  Tuning table{
      .cpu = cpu_name(), .instruction_set = kernels::target_name(), .precision = precision, .layers = {}};
  const auto calibrated = calibrated_layers(file);
  for (NodeId id = 0; id < file.network.graph.size(); ++id) {
    const auto filters = layer_filters(file.network.graph, id, precision, calibrated(id));
    if (filters.empty()) continue;
    const std::vector<Packing>& packings = filters[0].packings;
    const Packing best = packings[(static_cast<std::size_t>(id) + turn) % packings.size()];
    table.layers[file.network.graph.node(id).name] = {
        .best = best, .kernels = {}, .milliseconds = {{best, {1.0}}}};
  }
  return table;
}

class EveryNetworkTest : public ::testing::TestWithParam<testing::NamedGraph> {};

TEST_P(EveryNetworkTest, IsPackedOnceAndComputesTheSame) {
  const Graph graph = GetParam().graph();
  onnx::ModelFile file = testing::model_file(graph, testing::nested_subnets(graph, 3));
  testing::calibrate(file, testing::random_images(*testing::load(file), kCacheBatch), kCacheBatch);
  const auto serialized = onnx::serialize_model(file);
  ASSERT_TRUE(serialized) << serialized.error().message;
  const std::string& bytes = *serialized;
  const testing::TestFolder folder;
  std::vector<ModelOptions> settings = {{.precision = Precision::fp32}, {.precision = Precision::int8}};
  if (kernels::best_bf16_unit() != nullptr) settings.push_back({.precision = Precision::bf16});
  for (const std::size_t turn : {0, 1, 2}) {
    const fs::path name = folder / ("tuning" + std::to_string(turn) + ".json");
    folder.write(name, table_of(file, Precision::automatic, turn).to_json());
    settings.push_back({.precision = Precision::automatic, .tuning = name});
  }
  int caches = 0;
  for (ModelOptions options : settings) {
    SCOPED_TRACE(options.tuning.string() + " " + std::string(name_of(options.precision)));
    const auto plain = Model::parse(bytes, options).value();
    options.cache = folder / ("cache" + std::to_string(++caches));
    const auto first = Model::parse(bytes, options).value(), second = Model::parse(bytes, options).value();
    EXPECT_EQ(filters_packed(first), filters_packed(plain));
    EXPECT_EQ(filters_packed(second), 0);
    EXPECT_EQ(packed(second), packed(plain));
    EXPECT_EQ(logits_of(second), logits_of(plain));
  }
}

INSTANTIATE_TEST_SUITE_P(WeightsCache, EveryNetworkTest, ::testing::ValuesIn(testing::test_graphs()),
                         testing::name_of_graph);

class WeightsCacheTest : public ::testing::Test {
 protected:
  std::shared_ptr<const Model> load() const { return load(path_); }
  std::shared_ptr<const Model> load(const fs::path& path) const {
    auto model = Model::load(path, options_);
    EXPECT_TRUE(model) << model.error().message;
    return std::move(model).value();
  }
  /// The only file in the cache.
  fs::path cached() const {
    EXPECT_EQ(std::distance(fs::directory_iterator(cache_), {}), 1);
    return fs::directory_iterator(cache_)->path();
  }
  WeightsCache place() const { return WeightsCache(identity_of_file(path_).value(), options_); }

  /// Loads with something wrong in the cache, and again.
  void expect_packed_anew(bool repaired = true) const {
    const auto model = load();
    EXPECT_EQ(filters_packed(model), filters_packed(plain_));
    EXPECT_EQ(packed(model), packed(plain_));
    EXPECT_EQ(filters_packed(load()), repaired ? 0 : filters_packed(plain_));
  }

  const testing::TestFolder folder_;
  const fs::path cache_ = folder_ / "cache";
  const onnx::ModelFile file_ = testing::random_model(testing::toy(), 2);
  const std::string bytes_ = onnx::serialize_model(file_).value();
  const fs::path path_ = folder_.write("model.onnx", bytes_);
  const std::shared_ptr<const Model> plain_ = Model::parse(bytes_).value();
  ModelOptions options_ = {.cache = cache_};
};

TEST_F(WeightsCacheTest, IsNotAskedForUnlessAFolderIsNamed) {
  options_.cache.clear();
  EXPECT_GT(filters_packed(load()), 0);
  EXPECT_FALSE(fs::exists(cache_));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(WeightsCacheTest, KnowsAModelByItsBytes) {
  EXPECT_GT(filters_packed(load()), 0);
  EXPECT_EQ(filters_packed(Model::parse(bytes_, options_).value()), 0);
  EXPECT_EQ(filters_packed(load(folder_.write("copy.onnx", bytes_))), 0);
  EXPECT_EQ(identity_of_file(path_), identity_of(bytes_));

  onnx::ModelFile other = file_;
  other.network.weights.begin()->second.values[0] += 1;
  const std::string bytes = onnx::serialize_model(other).value();
  folder_.write("model.onnx", bytes);
  const auto model = load();
  EXPECT_GT(filters_packed(model), 0);
  EXPECT_EQ(logits_of(model), logits_of(Model::parse(bytes).value()));
}

TEST_F(WeightsCacheTest, IsPackedAnewAfterAnyDamage) {
  load();
  const fs::path path = cached();
  const std::string whole = *read_file(path);
  const auto write = [&](const std::string& bytes) {
    const std::string_view piece = bytes;
    ASSERT_TRUE(keep_file(path, {&piece, 1}));
  };
  ASSERT_GT(whole.size(), 1000U);
  for (std::size_t i = 0; i < whole.size(); i += i < whole.size() - 60 ? whole.size() / 100 : 1) {
    SCOPED_TRACE(i);
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    write(damaged);
    expect_packed_anew();
    if (i == 0) continue;
    write(whole.substr(0, i));
    expect_packed_anew();
  }
  for (const std::string& bytes : {whole + "x", whole + whole, std::string(whole.size(), '\0')}) {
    write(bytes);
    expect_packed_anew();
  }
  EXPECT_EQ(*read_file(cached()), whole);
}

TEST_F(WeightsCacheTest, IsPackedAnewWhereItHoldsAnotherPacking) {
  onnx::ModelFile other = testing::random_model(testing::resnet8(), 1);
  const auto model = testing::load(other);
  const std::string stripped = onnx::strip_model(bytes_, plain_->impl().packed.arrays()).value();
  place().keep(model->impl().packed, stripped);
  expect_packed_anew();
}

TEST_F(WeightsCacheTest, IsPackedAnewWhereItLacksArrays) {
  std::set<std::string> all;
  for (const auto& [name, array] : file_.network.weights) all.insert(name);
  place().keep(plain_->impl().packed, onnx::strip_model(bytes_, all).value());
  expect_packed_anew();
  place().keep(plain_->impl().packed, "no model");
  expect_packed_anew();
}

TEST_F(WeightsCacheTest, DoesNotStopALoadWhereItCannotBeWritten) {
  for (const fs::path& folder : {folder_ / "model.onnx", path_ / "below", fs::path("/proc/nowhere")}) {
    options_.cache = folder;
    expect_packed_anew(false);
  }
  options_.cache = cache_;
  load();
  const fs::path path = cached();
  fs::remove(path);
  fs::create_directories(path / "in its place");
  expect_packed_anew(false);
}

TEST_F(WeightsCacheTest, IsReadWhereItCannotBeWritten) {
  load();
  const auto lock = FolderLock::take(cache_);
  EXPECT_EQ(filters_packed(load()), 0);
  fs::remove(cached());
  expect_packed_anew(false);
}

TEST_F(WeightsCacheTest, LeavesErrorsWhatTheyAre) {
  const auto same_error = [&](const fs::path& path) {
    const auto wanted = Model::load(path), got = Model::load(path, options_);
    ASSERT_FALSE(wanted);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().message, wanted.error().message);
  };
  load();
  same_error(folder_ / "nothing.onnx");
  same_error(folder_);
  same_error(folder_.write("short.onnx", bytes_.substr(0, bytes_.size() / 2)));
  options_.tuning = folder_ / "nothing.json";
  EXPECT_EQ(Model::load(path_, options_).error().message,
            Model::load(path_, {.tuning = options_.tuning}).error().message);
}

TEST_F(WeightsCacheTest, KeepsNoModelWhoseArraysAreInAnotherFile) {
  const fs::path path = folder_ / "large.onnx";
  ASSERT_TRUE(onnx::write_model(path, file_, bytes_.size() / 2));
  EXPECT_GT(filters_packed(load(path)), 0);
  EXPECT_GT(filters_packed(load(path)), 0);
  EXPECT_FALSE(fs::exists(cache_));
}

TEST_F(WeightsCacheTest, SeveralProcessesMayLoadAtOnce) {
  constexpr int kProcesses = 8;
  for (int i = 0; i < kProcesses; ++i) {
    if (fork() != 0) continue;
    bool same = true;
    for (int round = 0; round < 10; ++round) {
      std::error_code ignored;
      if (round % 3 == i % 3) fs::remove_all(cache_, ignored);
      const auto model = Model::load(path_, options_);
      same = same && model && packed(*model) == packed(plain_);
    }
    _exit(same ? 0 : 1);
  }
  for (int i = 0; i < kProcesses; ++i) {
    int status = 0;
    ASSERT_GT(wait(&status), 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  load();
  EXPECT_EQ(filters_packed(load()), 0);
  EXPECT_EQ(cached().extension(), ".packed");
}

TEST_F(WeightsCacheTest, IsSharedByMachinesWithOtherInstructions) {
  for (int round = 0; round < 2; ++round) {
    for (const std::string& target : kernels::target_names()) {
      ASSERT_TRUE(kernels::limit_target(target));
      const auto model = load(), plain = Model::parse(bytes_).value();
      EXPECT_EQ(filters_packed(model) == 0, round == 1) << target;
      EXPECT_EQ(packed(model), packed(plain)) << target;
    }
  }
  ASSERT_TRUE(kernels::limit_target(""));
}

TEST_F(WeightsCacheTest, KnowsTheUnitsApart) {
  for (int round = 0; round < 2; ++round) {
    for (const std::string& unit : kernels::int8_units()) {
      ASSERT_TRUE(kernels::limit_int8_unit(unit));
      EXPECT_EQ(filters_packed(load()) == 0, round == 1) << unit;
      ASSERT_TRUE(kernels::limit_int8_unit(""));
    }
  }
}

}  // namespace
}  // namespace concertina::runtime
