#include "train/pipeline.h"

#include "base/try.h"
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

}  // namespace concertina::train
