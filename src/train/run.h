#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/progress.h"
#include "graph/channel_groups.h"
#include "graph/graph.h"
#include "latency/latency_table.h"
#include "recipe/recipe.h"
#include "report/run_results.h"
#include "train/averaged_weights.h"
#include "train/conv_record.h"
#include "train/images/training_data.h"
#include "train/network_source.h"
#include "train/objective.h"
#include "train/supernet/supernet.h"

namespace concertina::train {

/// A run directory and all that its stages need:
///
///   recipe.toml            the resolved recipe
///   convolutions.json      whose the convolutions are, and what was measured
///   <stage>/fingerprint    what the files beside it were made from
///   <stage>/seconds        how long processes that did not finish it have worked
///   <stage>/devices        where all of them worked: the last bits of sums depend on it
///   <stage>/done           exists once the stage has finished, and says what it cost
///   pretrain/              checkpoint.pt
///   rank/                  checkpoint.pt, ranking.json, weights.pt
///   search/                journal.jsonl, weights-N.pt
///   select/                subnets.json
///   joint/                 checkpoint.pt
///   fine-tune/             checkpoint.pt, if the recipe has this stage
///   package/               results.json
///   model.onnx
///
/// A stage whose fingerprint still holds is not repeated. One whose inputs changed starts anew, and its old
/// folder is kept as <stage>.previous, as are model.onnx and package/, which are of the old recipe from then
/// on.
///
/// Of several processes the first one alone reads and writes the folder. All of them call the same functions
/// in the same order, those that are const, too.
class Run {
 public:
  /// Checks the data set, reads the training data and builds or reads the network. Writes nothing but
  /// recipe.toml, convolutions.json and, in `cache`, what it measures; an empty path is no cache. Fails if
  /// the folder is that of another Run, in this process or another. `progress` must outlive the run.
  static Result<Run> open(recipe::Recipe recipe, std::filesystem::path folder,
                          const std::filesystem::path& cache, const Compute& compute, DataReader& reader,
                          Progress& progress);

  const recipe::Recipe& recipe() const { return recipe_; }
  const Compute& compute() const { return compute_; }
  const Processes& processes() const { return compute_.processes; }
  const Graph& graph() const { return source_->network.graph; }
  /// The graph and, if it was read from a file, its weights.
  const NetworkSource& source() const { return *source_; }
  const TrainingData& data() const { return *data_; }
  /// Those of data(), of whose batches each process makes its part.
  ImageBatches shared_images() const { return data_->images.shared_by(processes()); }
  /// Whose outputs are learned in place of labels; null: labels are.
  const Teacher* teacher() const { return teacher_.get(); }
  Progress& progress() const { return *progress_; }
  /// The table of search.cost = "latency"; null otherwise.
  std::shared_ptr<const latency::LatencyTable> latency_table() const { return latency_table_; }
  /// Those of search.method = "given"; empty otherwise.
  const std::vector<Subnet>& given_subnets() const { return given_subnets_; }

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path folder(recipe::Stage stage) const { return folder_ / recipe::stage_name(stage); }
  std::filesystem::path file(recipe::Stage stage, std::string_view name) const {
    return folder(stage) / name;
  }
  std::filesystem::path convolutions_file() const { return folder_ / "convolutions.json"; }
  std::filesystem::path model_file() const { return folder_ / "model.onnx"; }

  /// The stage whose results this one reads. Precondition: the recipe has the stage, and it is not the first.
  recipe::Stage stage_before(recipe::Stage stage) const;

  bool done(recipe::Stage stage) const;

  /// Copies from another run's folder the finished stages that this run would only repeat, on a device like
  /// its own.
  Status adopt(const std::filesystem::path& other) const;

  /// Before the stage writes anything. Says so if it was begun on another device.
  Status begin(recipe::Stage stage) const;
  /// The same for any folder of the run: what was made from something else is put aside.
  Status begin(const std::filesystem::path& folder, const std::string& made_from) const;
  Status finish(recipe::Stage stage, const report::StageCost& cost) const;
  /// What finish() was given.
  Result<report::StageCost> cost(recipe::Stage stage) const;
  /// The devices that have worked on the stage: "cpu A, 2 threads, then cuda:0". For the first process.
  std::string devices(recipe::Stage stage) const;

  /// What the stages that are done have cost, and, for the first process, what the last has made.
  Result<report::RunResult> result() const;

  /// The weights that pretrain or rank has left. The average is ranked and searched; training goes on from
  /// the latest.
  Result<AveragedWeights> weights(recipe::Stage stage) const;

  /// The sub-nets that select has left.
  Result<std::vector<Subnet>> selected() const;

  /// The network with such weights, in the precision in which the recipe trains.
  Result<Supernet> supernet(const Tensors& weights) const;

  /// The lattice of the recipe's search.
  const ChannelGroups& groups() const { return *groups_; }

  /// The only reader of the test images; each process makes its part of a batch.
  Result<ImageBatches> read_test_images() const;

  /// A seed of its own for each stage.
  std::uint64_t seed(recipe::Stage stage) const;

  /// A hash of everything that the stage's result depends on.
  std::string fingerprint(recipe::Stage stage) const;

 private:
  Run(recipe::Recipe recipe, std::filesystem::path folder, const Compute& compute, Progress& progress)
      : recipe_(std::move(recipe)), folder_(std::move(folder)), compute_(compute), progress_(&progress) {}

  /// Whether the stage is done, as this process sees the folder.
  bool is_done(recipe::Stage stage) const;
  /// begin() of the first process.
  Status begin_here(recipe::Stage stage) const;
  /// Settles the axes that the recipe leaves open. Fails if the network cannot have those that it asks for.
  Status decide_axes(const Graph& graph);
  /// Fails unless all processes train the same.
  Status compare_processes() const;
  /// Remembers that this process works on the stage.
  Status add_device(recipe::Stage stage) const;
  /// Keeps a stage's folder, if there is one, under another name.
  Status put_aside(const std::filesystem::path& stage) const;
  /// The same with the model and its figures.
  Status retire_model() const;
  /// Whether the folder is of this fingerprint.
  bool was_begun(const std::filesystem::path& folder, const std::string& made_from) const;
  /// Whose the convolutions are, from now on.
  Status choose_convolutions(const Graph& graph, const std::filesystem::path& cache);
  /// Whether pixels are normalised in a way that the file's network may not expect.
  bool measures_normalization() const;
  /// From now on, images teach what the network makes of them.
  Status find_teacher(const NetworkSource& source);
  Status open_latency_table();
  Status open_given_subnets();

  recipe::Recipe recipe_;
  std::filesystem::path folder_;
  std::optional<FolderLock> lock_;
  Compute compute_;
  ConvRecord convolutions_;
  Progress* progress_;
  std::shared_ptr<const latency::LatencyTable> latency_table_;
  std::vector<Subnet> given_subnets_;
  Hash search_files_;  ///< of the bytes of both
  std::shared_ptr<const TrainingData> data_;
  std::shared_ptr<const NetworkSource> source_;
  std::shared_ptr<const Teacher> teacher_;  ///< of task = distill
  std::optional<ChannelGroups> groups_;
};

}  // namespace concertina::train
