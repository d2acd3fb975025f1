#include "search/trajectory.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/try.h"

namespace concertina::search {
namespace {

using Json = nlohmann::ordered_json;

Json evaluation_json(const Evaluation& evaluation) {
  return {{"loss", evaluation.loss}, {"accuracy", evaluation.accuracy}};
}

/// Reads the members of an object; remembers the first that is missing or of the wrong kind.
class Reader {
 public:
  explicit Reader(const Json& object) : object_(object) {}

  /// An integer in 0 .. the largest T.
  template <typename T>
  void count(const char* key, T& to) {
    const Json* value = find(key, &Json::is_number_unsigned);
    if (!value) return;
    const auto number = value->get<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(std::numeric_limits<T>::max())) return fail(key);
    to = static_cast<T>(number);
  }
  void number(const char* key, double& to) {
    if (const Json* value = find(key, &Json::is_number)) to = value->get<double>();
  }
  void subnet(const char* key, Subnet& to) {
    const Json* value = find(key, &Json::is_string);
    if (!value) return;
    Result<Subnet> subnet = parse_subnet(value->get_ref<const std::string&>());
    if (!subnet) return fail(key);
    to = std::move(subnet).value();
  }
  void evaluation(const char* key, Evaluation& to) {
    const Json* value = find(key, &Json::is_object);
    if (!value) return;
    Reader inner(*value);
    inner.number("loss", to.loss);
    inner.number("accuracy", to.accuracy);
    if (!inner.status()) fail(key);
  }
  void spending(const char* key, Spending& to) {
    const Json* value = find(key, &Json::is_object);
    if (!value) return;
    Reader inner(*value);
    inner.count("images", to.images);
    inner.number("macs", to.macs);
    if (!inner.status()) fail(key);
  }
  void scores(const char* key, std::vector<std::optional<double>>& to) {
    const Json* value = find(key, &Json::is_array);
    if (!value) return;
    for (const Json& score : *value) {
      if (!score.is_null() && !score.is_number()) return fail(key);
      to.push_back(score.is_null() ? std::nullopt : std::optional(score.get<double>()));
    }
  }
  bool has(const char* key) const { return object_.contains(key); }

  Status status() const {
    if (!wrong_) return {};
    return Error{fmt::format("its '{}' is missing or not of its kind", wrong_)};
  }

 private:
  const Json* find(const char* key, bool (Json::*is_kind)() const noexcept) {
    const auto member = object_.find(key);
    if (member != object_.end() && ((*member).*is_kind)()) return &*member;
    fail(key);
    return nullptr;
  }
  void fail(const char* key) {
    if (!wrong_) wrong_ = key;
  }

  const Json& object_;
  const char* wrong_ = nullptr;
};

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
  const Json object = Json::parse(line, nullptr, false);
  if (!object.is_object()) return Error{"it is not a JSON object"};
  Reader reader(object);
  TrajectoryStep step;
  reader.count("step", step.step);
  reader.subnet("subnet", step.subnet);
  reader.evaluation("evaluation", step.evaluation);
  reader.number("cost", step.cost);
  reader.count("macs", step.macs);
  reader.count("parameters", step.parameters);
  reader.count("weights_version", step.weights_version);
  if (reader.has("before_fine_tuning")) {
    reader.evaluation("before_fine_tuning", step.before_fine_tuning.emplace());
  }
  reader.count("evaluations", step.evaluations);
  reader.spending("spent", step.spent);
  reader.scores("scores", step.scores);
  RETURN_IF_ERROR(reader.status());
  RETURN_IF_ERROR(checked(step.evaluation, step.subnet));
  return step;
}

}  // namespace concertina::search
