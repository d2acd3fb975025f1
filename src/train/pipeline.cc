#include "train/pipeline.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/try.h"
#include "report/comparison_report.h"
#include "train/compare.h"
#include "train/ranker_quality.h"
#include "train/stages/stages.h"

namespace concertina::train {

Result<std::optional<RunResult>> perform(const RunRequest& request, Progress& progress) {
  RETURN_IF_ERROR(recipe::check_budget(request.recipe));
  ASSIGN_OR_RETURN(const Compute compute, make_compute(request.device, request.threads));
  DataReader reader(compute.device, at::get_num_threads());
  ASSIGN_OR_RETURN(const Run run, Run::open(request.recipe, request.folder, compute, reader, progress));
  RETURN_IF_ERROR(request.stage ? run_stage(run, *request.stage) : run_all(run));
  std::optional<RunResult> result;
  if (run.done(recipe::Stage::package)) {
    result = {{}, run.file(recipe::Stage::package, "results.json")};
    if (run.recipe().joint.method == recipe::JointMethod::together) result->model = run.model_file();
  }
  return result;
}

Result<std::string> judge_rankers(const RunRequest& request, Progress& progress) {
  ASSIGN_OR_RETURN(const Compute compute, make_compute(request.device, request.threads));
  DataReader reader(compute.device, at::get_num_threads());
  ASSIGN_OR_RETURN(const Run run, Run::open(request.recipe, request.folder, compute, reader, progress));
  ASSIGN_OR_RETURN(const auto qualities, measure_rankers(run));
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const RankerQuality& q : qualities) {
    list.push_back({{"ranker", q.ranker},
                    {"channels", q.channels},
                    {"groups", q.groups},
                    {"by_dimension", q.by_dimension},
                    {"macs", q.macs}});
  }
  const std::string json = list.dump(1) + "\n";
  RETURN_IF_ERROR(write_file(run.folder() / "rankers" / "quality.json", json));
  return json;
}

Result<std::string> compare(const CompareRequest& request, Progress& progress) {
  ASSIGN_OR_RETURN(const Compute compute, make_compute(request.device, request.threads));
  std::string json;
  const auto write = [&](const report::MeasuredComparison& comparison) -> Status {
    json = report::to_json(comparison);
    RETURN_IF_ERROR(write_file(request.folder / "comparison.json", json));
    RETURN_IF_ERROR(write_file(request.folder / "comparison.md", report::to_markdown(comparison)));
    return write_file(request.folder / "comparison.svg", report::to_svg(comparison));
  };
  RETURN_IF_ERROR(compare(request.plan, request.folder, compute, progress, write));
  return json;
}

}  // namespace concertina::train
