#include "train/stages/stages.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/file.h"
#include "base/try.h"

namespace concertina::train {
namespace {

Result<Spending> perform(const Run& run, Stage stage) {
  switch (stage) {
    case Stage::pretrain:
      return pretrain(run);
    case Stage::rank:
      return rank(run);
    case Stage::prepare:
      return prepare(run);
    case Stage::search:
      return search(run);
    case Stage::select:
      return select(run);
    case Stage::joint:
      return joint(run);
    case Stage::refine:
      return refine(run);
    case Stage::package:
      return package(run);
  }
  return Spending{};
}

/// How long processes that did not finish the stage have worked on it: each from when it wrote the stage's
/// file `seconds` to the last that it wrote of any file. Adds the last of them to that file.
Result<double> seconds_before(const std::filesystem::path& stage) {
  const std::filesystem::path file = stage / "seconds";
  double seconds = 0;
  if (const auto text = read_file(file)) {
    std::from_chars(text->data(), text->data() + text->size(), seconds);
    std::error_code code;
    const auto started = std::filesystem::last_write_time(file, code);
    auto last = started;
    for (const auto& entry : std::filesystem::directory_iterator(stage, code)) {
      if (const auto written = entry.last_write_time(code); !code) last = std::max(last, written);
    }
    seconds += std::chrono::duration<double>(last - started).count();
  }
  CONCERTINA_TRY(write_file(file, fmt::format("{}\n", seconds)));
  return seconds;
}

}  // namespace

Status run_stage(const Run& run, Stage stage) {
  const auto name = stage_name(stage);
  if (run.done(stage)) {
    run.progress().message(fmt::format("{}: done before, its inputs have not changed", name));
    return {};
  }
  if (stage != Stage::pretrain) {
    const Stage before = kStages[static_cast<int>(stage) - 1];
    if (!run.done(before)) {
      return Error{fmt::format("{} needs the results of {} with this recipe; run concertina-train {} first",
                               name, stage_name(before), stage_name(before))};
    }
  }
  CONCERTINA_TRY(run.begin(stage));
  CONCERTINA_ASSIGN(const double before, seconds_before(run.folder(stage)));
  const auto started = std::chrono::steady_clock::now();
  CONCERTINA_ASSIGN(const Spending spent, perform(run, stage));
  CONCERTINA_TRY(run.data().images.status());
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
  return run.finish(stage, {spent, before + seconds.count(), describe(run.compute())});
}

Status run_all(const Run& run) {
  for (const Stage stage : kStages) CONCERTINA_TRY(run_stage(run, stage));
  return {};
}

}  // namespace concertina::train
