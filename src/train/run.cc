#include "train/run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "base/try.h"
#include "graph/channel_groups.h"
#include "graph/edit.h"
#include "graph/resolution.h"
#include "recipe/selected_subnets.h"
#include "train/conv_choice.h"
#include "train/supernet/conv.h"
#include "train/tensors.h"

namespace concertina::train {
namespace {

/// Grows whenever the same recipe comes to train something else, so that no older stage is taken for a new
/// one.
constexpr int kMethod = 4;

/// What is wrong with a file that a key of the recipe names.
Error unreadable(std::string_view key, const Error& error) {
  return Error{fmt::format("{}: {}; {}", key, error.message, recipe::kPathRule)};
}

/// The lattice of the search, without what is to be kept.
Result<ChannelGroups> groups_to_search(const Graph& graph, const recipe::Recipe::Search& search) {
  ASSIGN_OR_RETURN(ChannelGroups groups, divide_channels(graph, search.groups, search.multiple));
  std::set<int> kept;
  for (const std::string& name : search.keep) {
    const std::vector<int> found = find_dimensions(graph, name);
    kept.insert(found.begin(), found.end());
    if (!found.empty()) continue;
    std::vector<std::string> names;
    for (int d = 0; d < graph.layout().free_dimensions; ++d)
      names.push_back(graph.layout().dimensions[d].name);
    return Error{
        fmt::format("search.keep: no channels that can be left out are called '{}'; did you mean '{}'? "
                    "concertina-train explain lists them",
                    name, nearest_name(name, names))};
  }
  if (static_cast<int>(kept.size()) == graph.layout().free_dimensions)
    return Error{"search.keep keeps all channels of the network, so there is nothing to search; name fewer"};
  for (const int d : kept) groups.keep_whole(d);
  return groups;
}

/// Whether images are of digits or letters, which are others when they are mirrored.
bool are_characters(recipe::Task task, const std::vector<std::string>& classes) {
  return task == recipe::Task::classify &&
         std::all_of(classes.begin(), classes.end(), [](const std::string& name) {
           return name.size() == 1 && std::isalnum(static_cast<unsigned char>(name[0]));
         });
}

/// None if there is no such file.
std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  const auto text = read_file(path);
  std::istringstream stream(text ? *text : "");
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Keeps what lies at `path`, if anything does, under another name, which is returned.
Result<std::filesystem::path> put_aside(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return std::filesystem::path();
  std::filesystem::path previous = path;
  previous += ".previous";
  std::error_code code;
  std::filesystem::remove_all(previous, code);
  std::filesystem::rename(path, previous, code);
  if (code) return Error{fmt::format("cannot put '{}' aside: {}", path.string(), code.message())};
  return previous;
}

}  // namespace

Result<Run> Run::open(recipe::Recipe recipe, std::filesystem::path folder, const std::filesystem::path& cache,
                      const Compute& compute, DataReader& reader, Progress& progress) {
  Run run(std::move(recipe), std::move(folder), compute, progress);
  RETURN_IF_ERROR(check_data(run.recipe_));
  ASSIGN_OR_RETURN(const int channels, image_channels(run.recipe_));
  ASSIGN_OR_RETURN(run.data_, reader.read(run.recipe_, channels));
  progress.message(summary(*run.data_));
  const bool counts_images = run.recipe_.task == recipe::Task::classify;
  if (const std::string warning = uncertainty(*run.data_); counts_images && !warning.empty())
    progress.message(warning);
  int& batch = run.recipe_.training.batch;
  if (const int fitting = fitting_batch(batch, *run.data_); fitting != batch) {
    progress.message(fmt::format("training: batches of {} images, as {} are fewer than training.batch = {}",
                                 fitting, run.data_->training.size(), batch));
    batch = fitting;
  }
  if (const int processes = compute.processes.count(); batch % processes != 0) {
    return Error{fmt::format(
        "a batch of {} images cannot be shared evenly by {} processes; make training.batch a multiple of {}, or "
        "start another number of processes",
        batch, processes, processes)};
  }
  if (!run.recipe_.data.flip) {
    run.recipe_.data.flip = !are_characters(run.recipe_.task, run.data_->classes);
    if (!*run.recipe_.data.flip)
      progress.message(
          "data: the classes are digits or letters, so no image is mirrored; data.flip = true would");
  }
  ASSIGN_OR_RETURN(NetworkSource source, open_network(run.recipe_, run.data_->inputs,
                                                      static_cast<int>(run.data_->classes.size()), progress));
  RETURN_IF_ERROR(run.choose_convolutions(source.network.graph, cache));
  if (run.recipe_.task == recipe::Task::distill) RETURN_IF_ERROR(run.find_teacher(source));
  if (run.measures_normalization()) {
    progress.message(
        "data: images are normalised by the mean and standard deviation of the training images; if the file's "
        "network was trained with others, give them in data.mean and data.stddev");
  }
  if (!run.recipe_.network.file.empty() && run.recipe_.joint.start == recipe::JointStart::scratch) {
    progress.message(
        "joint: begins with random weights, not with those of the network's file; "
        "joint.start = \"ranked\" goes on from them");
  }
  if (const auto slow = convolutions_of_libtorch(source.network.graph);
      compute.device.is_cpu() && !slow.empty()) {
    progress.message(
        fmt::format("training: {} of the convolutions, such as '{}', are LibTorch's: they are transposed, "
                    "or in groups of fewer than 8 channels",
                    slow.size(), slow.front()));
  }
  ASSIGN_OR_RETURN(run.groups_, groups_to_search(source.network.graph, run.recipe_.search));
  RETURN_IF_ERROR(run.decide_axes(source.network.graph));
  run.source_ = std::make_shared<const NetworkSource>(std::move(source));
  RETURN_IF_ERROR(run.open_latency_table());
  RETURN_IF_ERROR(run.open_given_subnets());
  RETURN_IF_ERROR(run.compare_processes());
  RETURN_IF_ERROR(run.processes().first_does([&]() -> Status {
    ASSIGN_OR_RETURN(run.lock_, FolderLock::take(run.folder_));
    const Status written = write_file(run.convolutions_file(), to_json(run.convolutions_));
    if (!written) return written;
    return write_file(run.folder_ / "recipe.toml", recipe::to_toml(run.recipe_));
  }));
  const recipe::Stage last = recipe::Stage::package;
  if (std::filesystem::exists(run.model_file()) && !run.was_begun(run.folder(last), run.fingerprint(last))) {
    progress.message(fmt::format("{} is of an earlier recipe; the model of this one is not made yet",
                                 run.model_file().string()));
  }
  return run;
}

Status Run::decide_axes(const Graph& graph) {
  recipe::Recipe::Search& search = recipe_.search;
  const bool searched = search.method == recipe::SearchMethod::progressive;
  const bool saves = search.cost != recipe::SearchCost::parameters;  // a small image needs all of them
  const Status elastic = check_resolutions(graph);
  if (search.resolution == true && !elastic)
    return Error{fmt::format("search.resolution: {}; leave it out", elastic.error().message)};
  if (searched && saves && !search.resolution && !elastic)
    progress_->message(
        fmt::format("search: all sub-nets run on the whole image: {}", elastic.error().message));
  if (!search.depth) search.depth = searched;
  if (!search.resolution) search.resolution = searched && saves && elastic;
  return {};
}

Status Run::compare_processes() const {
  const std::string here = fingerprint(recipe::Stage::package);
  if (processes().from_first(here) == here) return {};
  return Error{fmt::format(
      "process {} has read another recipe or other files than process 0; give all processes the same",
      processes().rank())};
}

bool Run::measures_normalization() const {
  const bool given = (!recipe_.data.mean.empty() && !recipe_.data.stddev.empty()) ||
                     recipe_.data.range == recipe::PixelRange::to_255;
  return !recipe_.network.file.empty() && data_->images.are_pictures() && !given;
}

Status Run::choose_convolutions(const Graph& graph, const std::filesystem::path& cache) {
  const SteadyClock clock;
  ASSIGN_OR_RETURN(convolutions_,
                   train::choose_convolutions(
                       {.graph = graph,
                        .training = recipe_.training,
                        .compute = compute_,
                        .record = convolutions_file(),
                        .cache = cache,
                        .measure = [&](const ConvKind& kind,
                                       const ConvPace& pace) { return measure_kind(kind, pace, clock); }},
                       *progress_));
  compute_.convolutions = convolutions_.choice();
  return {};
}

Status Run::find_teacher(const NetworkSource& source) {
  constexpr std::int64_t kMeasured = 1000;  // images
  const Graph& graph = source.network.graph;
  auto data = std::make_shared<TrainingData>(*data_);
  data->images = data->images.arranged(source.data_inputs);
  ASSIGN_OR_RETURN(teacher_,
                   Teacher::make(source.network, recipe_.distill, compute_.with(recipe_.training.precision),
                                 data->images, data->first_training(kMeasured)));
  for (std::size_t i = 0; i < teacher_->outputs().size(); ++i) {
    const Teacher::Output& output = teacher_->outputs()[i];
    progress_->message(
        fmt::format("distill: '{}' is learned as {}{}", graph.node(graph.outputs()[i]).name,
                    output.distribution ? "a distribution" : "values",
                    teacher_->outputs().size() > 1 ? fmt::format(", of weight {}", output.weight) : ""));
  }
  data->images = data->images.taught_by(teacher_);
  data_ = std::move(data);
  return {};
}

Status Run::open_latency_table() {
  if (recipe_.search.cost != recipe::SearchCost::latency) return {};
  const std::filesystem::path& path = recipe_.search.latency_table;
  const auto bytes = read_file(path);
  if (!bytes) return unreadable("search.latency_table", bytes.error());
  ASSIGN_OR_RETURN(latency::LatencyTable table, latency::LatencyTable::read(path));
  if (const Status fits = table.check_layers(graph()); !fits) return in_file(path, fits.error());
  search_files_.add(*bytes);
  latency_table_ = std::make_shared<const latency::LatencyTable>(std::move(table));
  return {};
}

Status Run::open_given_subnets() {
  if (recipe_.search.method != recipe::SearchMethod::given) return {};
  const auto bytes = read_file(recipe_.search.subnets);
  if (!bytes) return unreadable("search.subnets", bytes.error());
  ASSIGN_OR_RETURN(given_subnets_, recipe::read_subnets(recipe_.search.subnets, graph()));
  search_files_.add(*bytes);
  return {};
}

recipe::Stage Run::stage_before(recipe::Stage stage) const {
  const std::vector<recipe::Stage> stages = recipe::stages_of(recipe_);
  return *std::prev(std::find(stages.begin(), stages.end(), stage));
}

bool Run::done(recipe::Stage stage) const {
  if (processes().alone()) return is_done(stage);
  return !processes().from_first(processes().first() && is_done(stage) ? "yes" : "").empty();
}

bool Run::is_done(recipe::Stage stage) const {
  const auto stamp = read_file(file(stage, "fingerprint"));
  return stamp && *stamp == fingerprint(stage) && std::filesystem::exists(file(stage, "done"));
}

Status Run::adopt(const std::filesystem::path& other) const {
  for (const recipe::Stage stage : recipe::stages_of(recipe_)) {
    if (stage == recipe::Stage::package) return {};  // it has written a model beside its folder, too
    const std::filesystem::path theirs = other / recipe::stage_name(stage), ours = folder(stage);
    const auto stamp = read_file(theirs / "fingerprint"), devices = read_file(theirs / "devices");
    if (done(stage) || !stamp || *stamp != fingerprint(stage) || !std::filesystem::exists(theirs / "done"))
      continue;
    if (!devices || *devices != describe(compute_) + "\n") continue;
    std::filesystem::path copy = ours;
    copy += ".copy";
    std::error_code code;
    std::filesystem::remove_all(copy, code);
    std::filesystem::copy(theirs, copy, std::filesystem::copy_options::recursive, code);
    // Half of the same work is of no use any more.
    if (const auto before = read_file(ours / "fingerprint"); !code && before && *before == *stamp)
      std::filesystem::remove_all(ours, code);
    if (!code) RETURN_IF_ERROR(retire_model());
    if (!code) RETURN_IF_ERROR(put_aside(ours));
    if (!code) std::filesystem::rename(copy, ours, code);
    if (code)
      return Error{
          fmt::format("cannot copy '{}' to '{}': {}", theirs.string(), ours.string(), code.message())};
    progress_->message(fmt::format("{}: copied from {}", recipe::stage_name(stage), other.string()));
  }
  return {};
}

Status Run::put_aside(const std::filesystem::path& stage) const {
  ASSIGN_OR_RETURN(const std::filesystem::path previous, train::put_aside(stage));
  if (previous.empty()) return {};
  progress_->message(fmt::format("{}: its inputs have changed; the old results are kept as {}",
                                 stage.filename().string(), previous.string()));
  return {};
}

Status Run::retire_model() const {
  RETURN_IF_ERROR(put_aside(folder(recipe::Stage::package)));
  return put_aside(model_file());
}

bool Run::was_begun(const std::filesystem::path& folder, const std::string& made_from) const {
  const auto before = read_file(folder / "fingerprint");
  return before && *before == made_from;
}

Status Run::begin(recipe::Stage stage) const {
  return processes().first_does([&] { return begin_here(stage); });
}

Status Run::begin_here(recipe::Stage stage) const {
  // The model is not of this recipe any more.
  if (!was_begun(folder(stage), fingerprint(stage))) RETURN_IF_ERROR(retire_model());
  RETURN_IF_ERROR(begin(folder(stage), fingerprint(stage)));
  return add_device(stage);
}

Status Run::add_device(recipe::Stage stage) const {
  const std::vector<std::string> lines = lines_of(file(stage, "devices"));
  const std::string here = describe(compute_);
  if (!lines.empty() && lines.back() == here) return {};
  if (!lines.empty()) {
    progress_->message(fmt::format("{}: begun on {}, goes on on {}; the result is not exactly that of either",
                                   recipe::stage_name(stage), lines.back(), here));
  }
  return append_line(file(stage, "devices"), here);
}

std::string Run::devices(recipe::Stage stage) const {
  return fmt::format("{}", fmt::join(lines_of(file(stage, "devices")), ", then "));
}

Status Run::begin(const std::filesystem::path& folder, const std::string& made_from) const {
  if (was_begun(folder, made_from)) return {};
  RETURN_IF_ERROR(put_aside(folder));
  return write_file(folder / "fingerprint", made_from);
}

Status Run::finish(recipe::Stage stage, const report::StageCost& cost) const {
  const nlohmann::json done = {{"images", cost.images},
                               {"macs", cost.macs},
                               {"seconds", cost.seconds},
                               {"waited_seconds", cost.waited_seconds},
                               {"device", cost.device}};
  return processes().first_does([&] { return write_file(file(stage, "done"), done.dump() + "\n"); });
}

Result<report::StageCost> Run::cost(recipe::Stage stage) const {
  ASSIGN_OR_RETURN(const std::string text, processes().read_file(file(stage, "done")));
  try {
    const auto done = nlohmann::json::parse(text);
    return report::StageCost{std::string(recipe::stage_name(stage)),
                             done.at("images"),
                             done.at("macs"),
                             done.at("seconds"),
                             done.value("device", ""),
                             done.value("waited_seconds", 0.0)};
  } catch (const nlohmann::json::exception&) {
    return Error{
        fmt::format("'{}' is damaged; delete its folder to make it again", file(stage, "done").string())};
  }
}

Result<report::RunResult> Run::result() const {
  report::RunResult result;
  for (const recipe::Stage stage : recipe::stages_of(recipe_)) {
    if (!done(stage)) continue;
    ASSIGN_OR_RETURN(report::StageCost one, cost(stage));
    result.costs.push_back(std::move(one));
  }
  if (!done(recipe::Stage::package) || !processes().first()) return result;
  ASSIGN_OR_RETURN(result.subnets, report::read_results(file(recipe::Stage::package, "results.json")));
  for (const report::MeasuredSubnet& one : result.subnets) RETURN_IF_ERROR(check_subnet(graph(), one.subnet));
  if (recipe_.joint.method == recipe::JointMethod::together) result.model = model_file();
  return result;
}

Result<AveragedWeights> Run::weights(recipe::Stage stage) const {
  const char* name = stage == recipe::Stage::rank ? "weights.pt" : "checkpoint.pt";
  ASSIGN_OR_RETURN(const Checkpoint checkpoint, read_checkpoint(file(stage, name), processes()));
  return AveragedWeights::unpack(checkpoint.tensors);
}

Result<std::vector<Subnet>> Run::selected() const {
  const std::filesystem::path path = file(recipe::Stage::select, "subnets.json");
  ASSIGN_OR_RETURN(const std::string text, processes().read_file(path));
  auto subnets = recipe::parse_subnets(text, graph());
  if (!subnets) return in_file(path, subnets.error());
  return subnets;
}

Result<Supernet> Run::supernet(const Tensors& weights) const {
  return Supernet::make(graph(), weights, compute_.with(recipe_.training.precision));
}

Result<ImageBatches> Run::read_test_images() const {
  ASSIGN_OR_RETURN(ImageBatches images,
                   train::read_test_images(recipe_, *data_, compute_.device, at::get_num_threads()));
  images = images.counted_with(data_->images);
  if (teacher_) images = images.arranged(source_->data_inputs).taught_by(teacher_);
  return images.shared_by(processes());
}

std::uint64_t Run::seed(recipe::Stage stage) const {
  return CounterRandom(static_cast<std::uint64_t>(recipe_.seed)).bits(static_cast<std::uint64_t>(stage));
}

std::string Run::fingerprint(recipe::Stage stage) const {
  Hash hash;
  // What files hold counts, not where they lie.
  recipe::Recipe recipe = recipe::without_paths(recipe_);
  if (stage == recipe::Stage::pretrain) {
    hash.add(fmt::format("{}", kMethod)).add(fmt::format("{:x}", data_->hash));
    if (!recipe_.network.file.empty()) recipe.network.file = fmt::format("{:x}", source_->file_hash);
    // Bits depend on whose the convolutions are, not on who has decided it.
    recipe.training.convolutions = {};
    for (const std::string& kind : compute_.convolutions.libtorch) hash.add(kind);
    for (const char* table : {"", "network", "data", "distill", "training"})
      hash.add(recipe::table_to_toml(recipe, table));
    // What is trained before joint training goes through a part of the schedule that depends on the whole.
    if (recipe.pretrain.epochs > 0 || recipe.rank.method == recipe::RankMethod::noise)
      hash.add(fmt::format("{}", recipe::schedule_epochs(recipe)));
  } else {
    hash.add(fingerprint(stage_before(stage)));
  }
  if (stage == recipe::Stage::search) hash.add(fmt::format("{:x}", search_files_.value()));
  hash.add(recipe::stage_name(stage)).add(recipe::table_to_toml(recipe, recipe::table_of(stage)));
  return fmt::format("{:016x}\n", hash.value());
}

}  // namespace concertina::train
