#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "concertina/precision.h"
#include "concertina/result.h"
#include "search/progressive_search.h"

namespace concertina {
class Reader;
}

namespace concertina::recipe {

enum class Task { classify, segment, distill };

/// What an accuracy is, for people.
constexpr std::string_view measure_of(Task task) {
  return task == Task::classify ? "top-1" : task == Task::segment ? "mean IoU" : "agreement";
}

enum class LearnedAs { automatic, distribution, values };
enum class NetworkNorms { automatic, keep };
enum class Crop { padded, resized };
enum class ChannelOrder { rgb, bgr };
enum class PixelRange { to_1, to_255 };
enum class Convolutions { measured, own, libtorch };
enum class RankMethod { noise, l1, input_l1, norm_scale, taylor, fisher, random, none };
enum class NoiseVariant { log_barrier, plain };
enum class SearchMethod { progressive, uniform, given };
enum class SearchCost { macs, parameters, both, latency };
enum class JointStart { ranked, scratch };
enum class JointMethod { together, alone, split };
enum class JointSampling { two, every };
enum class Distillation { growing, in_place, mutual, none };
enum class Reselection { pareto, paper };

/// The stages of a run, in order. Each reads what the one before it wrote. Without quantize.epochs there is
/// no fine_tune.
enum class Stage { pretrain, rank, search, select, joint, fine_tune, package };

/// The stage's verb and folder: "pretrain".
constexpr std::string_view stage_name(Stage stage) {
  constexpr std::string_view kStageNames[] = {"pretrain", "rank",      "search", "select",
                                              "joint",    "fine-tune", "package"};
  return kStageNames[static_cast<int>(stage)];
}

/// The table of a recipe that says how the stage works.
constexpr std::string_view table_of(Stage stage) {
  return stage == Stage::fine_tune ? "quantize" : stage_name(stage);
}

/// Everything a run depends on, besides the data's bytes. Read from a TOML file whose tables and keys have
/// the names of these members; every key has a default. docs/recipe.md explains each. Paths are absolute.
struct Recipe {
  int seed = 1;
  Task task = Task::classify;  ///< distill: pretrain.epochs is 0 if it is not given

  struct Network {
    std::string name = "resnet8";
    double width = 1.0;
    bool decoupled = false;
    std::filesystem::path file;   ///< ONNX, in place of the three above
    std::string output;           ///< of the file, if it has several
    bool new_classifier = false;  ///< a fresh last layer, for other classes than the file's
    NetworkNorms batch_norm = NetworkNorms::automatic;  ///< whether folded batch norms are put back
  } network;

  struct Data {
    std::filesystem::path path = "/usr/share/datasets/fashion-mnist";
    std::string format = "auto";  ///< idx, cifar10, image_folder, arrays, or auto
    int image_size = 0;           ///< image_folder: pixels of a side; 0 = as they are
    int validation = 0;           ///< images split off the training set; 0 = a tenth, at most 5000
    Crop crop = Crop::padded;     ///< how training images are cropped
    int pad = 2;                  ///< random crop out of so many pixels of padding
    std::optional<bool> flip;     ///< random horizontal flip; none: unless the classes are characters
    int resize = 0;               ///< crop = resized: short side before the centre crop; 0 = image_size
    ChannelOrder channel_order = ChannelOrder::rgb;  ///< that the network takes, and of mean and stddev
    PixelRange range = PixelRange::to_1;             ///< that pixels have before they are normalised
    /// By channel; empty: measured, or with 0..255 no change.
    std::vector<double> mean, stddev;
  } data;

  /// For task = distill, by output of the network; none: as `automatic` says, and all of weight 1.
  struct Distill {
    std::vector<LearnedAs> losses;
    std::vector<double> weights;
  } distill;

  struct Training {
    int batch = 128;
    Precision precision = Precision::bf16;
    Convolutions convolutions = Convolutions::measured;  ///< whose they are on a CPU
    double learning_rate = 0.1;                          ///< the highest of the run
    double muon_learning_rate = 0;  ///< the same of Muon, for convolutions; 0: they learn by SGD, too
    double momentum = 0.9;
    double weight_decay = 5e-4;
    double label_smoothing = 0;
  } training;

  struct Pretrain {
    int epochs = 10;
  } pretrain;

  struct Rank {
    RankMethod method = RankMethod::l1;
    NoiseVariant variant = NoiseVariant::log_barrier;
    int epochs = 2;
    double noise_learning_rate = 0.01;
    double initial_noise = 0.1;
    int batches = 100;      ///< of taylor and fisher
    double barrier = 0.01;  ///< lambda of the log-barrier variant
  } rank;

  struct Search {
    SearchMethod method = SearchMethod::progressive;
    std::filesystem::path subnets;  ///< JSON file, for method = given
    int groups = 8;
    int multiple = 1;  ///< widths are multiples of this, in dimensions of at least two such multiples
    int floor_groups = 1;
    /// Whether sub-nets may leave out branches, and whether they may run on smaller images. None: yes in a
    /// progressive search, unless the network cannot or it would save nothing.
    std::optional<bool> depth, resolution;
    std::vector<std::string> keep;  ///< dimensions that keep all channels: names, or beginnings with a *
    search::Criterion criterion = search::Criterion::loss_per_cost;
    SearchCost cost = SearchCost::macs;
    double prior = 3;                     ///< weight of the shrinking prior, nats; 0 = none
    double tilt = 0.5;                    ///< of that prior, from MACs (0) to parameters (1)
    std::filesystem::path latency_table;  ///< JSON file, for cost = latency
    int refresh_every = 8;                ///< steps between evaluations of all candidates; 1 = at every step
    double end_fraction = 0.25;           ///< stop at the MACs of the uniform sub-net of this width
    int images = 2000;                    ///< validation images per evaluation
    int norm_batches = 0;  ///< training batches per batch-norm estimate; 0 = each evaluated batch's own
    bool reuse_activations = true;  ///< begin an evaluation at the first layer that a candidate changes
    double threshold = 0;           ///< fine-tune below this top-1; 0 = never
    double fine_tune_share = 0.25;  ///< of the training images, at most, per fine-tuning
    double fine_tune_learning_rate = 0.01;
  } search;

  struct Select {
    int subnets = 8;
    int images = 2000;  ///< validation images per evaluation
    Reselection rule = Reselection::pareto;
  } select;

  struct Joint {
    JointMethod method = JointMethod::together;
    JointStart start = JointStart::ranked;
    int epochs = 10;
    Distillation distillation = Distillation::in_place;
    JointSampling sampling = JointSampling::two;
    double focus = 0;  ///< weight of a sub-net's loss: exp(focus * present loss); 0 = all alike
    bool private_norm = false;
    double budget = 0;  ///< of the whole run, in epochs of the full network; 0 = joint.epochs
  } joint;

  struct Quantize {
    int epochs = 0;  ///< of fine-tuning with the rounding of int8; 0 = none
    double learning_rate = 0.01;
  } quantize;

  struct Package {
    int norm_images = 5000;  ///< training images per batch-norm estimate
  } package;
};

/// The stages of a run with this recipe, in order.
std::vector<Stage> stages_of(const Recipe& recipe);

/// Cost of noise ranking in epochs of plain training: two for each of its own, because every step runs twice.
/// 0 for other methods, which do not train.
double rank_epochs(const Recipe::Rank& rank);

/// What the learning-rate schedule of the run spans, in epochs: its budget, or else pretraining and joint
/// training. Joint training from scratch has a schedule of its own; noise ranking is then the end of this
/// one.
double schedule_epochs(const Recipe& recipe);

/// A search ends at the MACs of a uniform sub-net: how many groups of each dimension that one keeps.
int groups_at_end(const Recipe::Search& search);

/// Fails where keys exclude each other, or leave a stage nothing to do. Does not check costs: in a comparison
/// a budget's epochs are those of another network, so check_budget() is called once that is known.
Status check_recipe(const Recipe& recipe);

/// Fails unless the stages whose cost is known beforehand leave something of joint.budget, which is in epochs
/// of the recipe's own network.
Status check_budget(const Recipe& recipe);

/// How the paths of a recipe are resolved, for errors about them.
inline constexpr std::string_view kPathRule =
    "a path in a recipe is from the recipe's folder, one in --set from where you are";

/// The table of an arm in a comparison, and the folder that its paths are from.
struct ArmKeys {
  const Reader& table;
  std::filesystem::path folder;
};

/// Reads a recipe: the file, then each "table.key=value" of `settings` over it, then all keys of `arm`, if
/// there is one, but its name. Fails on anything that is not TOML, on unknown keys (offering the nearest
/// known one), wrong types, values out of range, and where check_recipe() does. Relative paths become
/// absolute: the file's from its folder, those of settings from the working folder.
Result<Recipe> read_recipe(const std::filesystem::path& path, std::span<const std::string> settings,
                           const ArmKeys* arm = nullptr);
/// The same with the file's text.
Result<Recipe> parse_recipe(std::string_view text, const std::filesystem::path& path,
                            std::span<const std::string> settings, const ArmKeys* arm = nullptr);

/// The same recipe without its paths: what they name may move.
Recipe without_paths(Recipe recipe);

/// The whole recipe with every key that applies, as a file that read_recipe() reads back.
std::string to_toml(const Recipe& recipe);

/// One table of it ("search"), or the top-level keys (""): what a stage's result depends on.
std::string table_to_toml(const Recipe& recipe, std::string_view table);

}  // namespace concertina::recipe
