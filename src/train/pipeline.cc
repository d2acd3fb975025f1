#include "train/pipeline.h"

#include "base/file.h"
#include "base/try.h"
#include "train/rankers/rankers.h"
#include "train/stages/stages.h"

namespace concertina::train {
namespace {

Result<Run> open_run(const RunRequest& request, Progress& progress) {
  ASSIGN_OR_RETURN(const Compute compute, make_compute(request.device, request.threads, request.place));
  DataReader reader(compute.device, at::get_num_threads());
  return Run::open(request.recipe, request.folder, request.cache, compute, reader, progress);
}

}  // namespace

Result<report::RunResult> run_pipeline(const RunRequest& request, Progress& progress) {
  RETURN_IF_ERROR(recipe::check_budget(request.recipe));
  SilentProgress silent;
  try {
    ASSIGN_OR_RETURN(const Run run, open_run(request, request.place.rank == 0 ? progress : silent));
    RETURN_IF_ERROR(request.stage ? run_stage(run, *request.stage) : run_all(run));
    return run.result();
  } catch (const LostProcess&) {
    return Error{std::string(kLostProcess)};
  }
}

Result<std::vector<report::RankerQuality>> judge_rankers(const RunRequest& request, Progress& progress) {
  ASSIGN_OR_RETURN(const Run run, open_run(request, progress));
  RETURN_IF_ERROR(run_stage(run, recipe::Stage::pretrain));
  ASSIGN_OR_RETURN(std::vector<report::RankerQuality> qualities, measure_rankers(run));
  RETURN_IF_ERROR(write_file(run.folder() / "rankers" / "quality.json", report::to_json(qualities)));
  return qualities;
}

}  // namespace concertina::train
