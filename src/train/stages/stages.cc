#include "train/stages/stages.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/file.h"
#include "base/text.h"
#include "base/try.h"

namespace concertina::train {
namespace {

Result<search::Spending> dispatch(const Run& run, recipe::Stage stage) {
  switch (stage) {
    case recipe::Stage::pretrain:
      return pretrain(run);
    case recipe::Stage::rank:
      return rank(run);
    case recipe::Stage::search:
      return search(run);
    case recipe::Stage::select:
      return select(run);
    case recipe::Stage::joint:
      return joint(run);
    case recipe::Stage::fine_tune:
      return fine_tune(run);
    case recipe::Stage::package:
      return package(run);
  }
  return search::Spending{};
}

/// How long processes that did not finish the stage have worked on it: each from when it wrote the stage's
/// file `seconds` to the last that it wrote of any file. Adds the last of them to that file. For the first of
/// several processes.
Result<double> seconds_before(const std::filesystem::path& stage) {
  const std::filesystem::path file = stage / "seconds";
  double seconds = 0;
  if (const auto text = read_file(file)) {
    seconds = parse_number<double>(*text).value_or(0);
    std::error_code code;
    const auto started = std::filesystem::last_write_time(file, code);
    auto last = started;
    for (const auto& entry : std::filesystem::directory_iterator(stage, code)) {
      if (const auto written = entry.last_write_time(code); !code) last = std::max(last, written);
    }
    seconds += std::chrono::duration<double>(last - started).count();
  }
  RETURN_IF_ERROR(write_file(file, fmt::format("{}\n", seconds)));
  return seconds;
}

/// Says how much of its time a stage has waited for images, if it has used any.
void report_waits(const Run& run, std::string_view stage, const Waits& waits, double seconds) {
  if (waits.batches == 0) return;
  run.progress().message(fmt::format("{}: waited {:.1f} % of the time for {}", stage,
                                     100 * to_seconds(waits.time) / seconds,
                                     run.data().images.are_pictures() ? "images" : "samples"));
}

}  // namespace

Status run_stage(const Run& run, recipe::Stage stage) {
  const auto name = recipe::stage_name(stage);
  if (stage == recipe::Stage::fine_tune && run.recipe().quantize.epochs == 0)
    return Error{"quantize.epochs is 0, so there is nothing to fine-tune; set it to 1 or more"};
  if (run.done(stage)) {
    run.progress().message(fmt::format("{}: done before, its inputs have not changed", name));
    return {};
  }
  if (stage != recipe::Stage::pretrain) {
    const recipe::Stage before = run.stage_before(stage);
    if (!run.done(before)) {
      return Error{fmt::format("{} needs the results of {} with this recipe; run concertina-train {} first",
                               name, recipe::stage_name(before), recipe::stage_name(before))};
    }
  }
  RETURN_IF_ERROR(run.begin(stage));
  const Waits waits_before = run.data().images.waits();
  double before = 0;
  RETURN_IF_ERROR(run.processes().first_does([&]() -> Status {
    ASSIGN_OR_RETURN(before, seconds_before(run.folder(stage)));
    return {};
  }));
  const auto started = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const search::Spending spent, dispatch(run, stage));
  RETURN_IF_ERROR(run.shared_images().status());
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
  const Waits waits = run.data().images.waits() - waits_before;
  report_waits(run, name, waits, seconds.count());
  return run.finish(stage, {.stage = std::string(name),
                            .images = spent.images,
                            .macs = spent.macs,
                            .seconds = before + seconds.count(),
                            .device = run.devices(stage),
                            .waited_seconds = to_seconds(waits.time)});
}

Status run_all(const Run& run) {
  for (const recipe::Stage stage : recipe::stages_of(run.recipe())) RETURN_IF_ERROR(run_stage(run, stage));
  return {};
}

}  // namespace concertina::train
