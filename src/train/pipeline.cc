#include "train/pipeline.h"

#include "base/file.h"
#include "base/try.h"
#include "report/comparison_report.h"
#include "train/compare.h"
#include "train/stages/stages.h"

namespace concertina::train {

Result<std::optional<RunResult>> perform(const RunRequest& request, Progress& progress) {
  CONCERTINA_ASSIGN(const Compute compute, make_compute(request.device, request.threads));
  CONCERTINA_ASSIGN(const Run run,
                    Run::open(request.recipe, request.folder, compute, at::get_num_threads(), progress));
  CONCERTINA_TRY(request.stage ? run_stage(run, *request.stage) : run_all(run));
  std::optional<RunResult> result;
  if (run.done(Stage::package)) result = {run.model_file(), run.file(Stage::package, "results.json")};
  return result;
}

Result<std::string> compare(const CompareRequest& request, Progress& progress) {
  CONCERTINA_ASSIGN(const Compute compute, make_compute(request.device, request.threads));
  std::string json;
  const auto write = [&](const Comparison& comparison) -> Status {
    json = to_json(comparison);
    CONCERTINA_TRY(write_file(request.folder / "comparison.json", json));
    CONCERTINA_TRY(write_file(request.folder / "comparison.md", to_markdown(comparison)));
    return write_file(request.folder / "comparison.svg", to_svg(comparison));
  };
  CONCERTINA_TRY(compare(request.plan, request.folder, compute, at::get_num_threads(), progress, write));
  return json;
}

}  // namespace concertina::train
