#include "search/trajectory.h"

#include <nlohmann/json.hpp>

#include "base/reader.h"
#include "base/try.h"

namespace concertina::search {
namespace {

using Json = nlohmann::ordered_json;

Json evaluation_json(const Evaluation& evaluation) {
  return {{"loss", evaluation.loss}, {"accuracy", evaluation.accuracy}};
}

Evaluation read_evaluation(const Reader& evaluation) {
  return {evaluation["loss"].number(), evaluation["accuracy"].number()};
}

}  // namespace

std::string to_json(const TrajectoryStep& step) {
  Json line = {{"step", step.step},
               {"subnet", to_string(step.subnet)},
               {"evaluation", evaluation_json(step.evaluation)},
               {"cost", step.cost},
               {"macs", step.macs},
               {"parameters", step.parameters},
               {"weights_version", step.weights_version}};
  if (step.fine_tuned()) line["before_fine_tuning"] = evaluation_json(*step.before_fine_tuning);
  line["evaluations"] = step.evaluations;
  line["spent"] = {{"images", step.spent.images}, {"macs", step.spent.macs}};
  line["scores"] = Json::array();
  for (const auto& score : step.scores) line["scores"].push_back(score ? Json(*score) : Json(nullptr));
  return line.dump();
}

Result<TrajectoryStep> parse_trajectory_step(std::string_view line) {
  const Reader reader = Reader::of_json(line);
  TrajectoryStep step = {.step = reader["step"].whole(),
                         .subnet = reader["subnet"].subnet(),
                         .evaluation = read_evaluation(reader["evaluation"]),
                         .cost = reader["cost"].number(),
                         .macs = reader["macs"].whole<std::int64_t>(),
                         .parameters = reader["parameters"].whole<std::int64_t>(),
                         .weights_version = reader["weights_version"].whole(),
                         .evaluations = reader["evaluations"].whole()};
  if (const Reader before = reader["before_fine_tuning"]) step.before_fine_tuning = read_evaluation(before);
  step.spent = {reader["spent"]["images"].whole<std::int64_t>(), reader["spent"]["macs"].number()};
  for (const Reader& score : reader["scores"].entries())
    step.scores.push_back(score.is_null() ? std::nullopt : std::optional(score.number()));
  RETURN_IF_ERROR(reader.status());
  RETURN_IF_ERROR(checked(step.evaluation, step.subnet));
  return step;
}

}  // namespace concertina::search
