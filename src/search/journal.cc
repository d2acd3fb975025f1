#include "search/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/try.h"

namespace concertina::search {
namespace {

using Json = nlohmann::ordered_json;

std::string header_line(const Fingerprint& fingerprint) {
  const Json header = {{"concertina_search", 2}, {"fingerprint", fingerprint}};
  return header.dump(-1, ' ', false, Json::error_handler_t::replace);  // names of a graph may be no UTF-8
}

/// Precondition: `found` is a header line that differs from header_line(wanted).
Error other_search(const std::filesystem::path& path, std::string_view found, const Fingerprint& wanted) {
  const Json header = Json::parse(found, nullptr, false);
  if (!header.is_object() || !header.contains("concertina_search")) {
    return Error{fmt::format("'{}' is not a search journal; give the search another path", path.string())};
  }
  const Json there = header.value("fingerprint", Json::object());
  const Json here = Json::parse(header_line(wanted))["fingerprint"];
  for (const auto& [key, value] : here.items()) {
    if (there.is_object() && there.contains(key) && there[key] == value) continue;
    const Json other = there.is_object() && there.contains(key) ? there[key] : Json(nullptr);
    return Error{fmt::format(
        "'{}' is the journal of another search: its {} is {}, not {}; give the same options as then, or "
        "another path to search anew",
        path.string(), key, other.dump(-1, ' ', false, Json::error_handler_t::replace), value.dump())};
  }
  return Error{
      fmt::format("'{}' is a search journal of another version of this program; give the search another path",
                  path.string())};
}

}  // namespace

Result<Journal> Journal::open(std::filesystem::path path, const Fingerprint& fingerprint) {
  Journal journal(std::move(path));
  const std::string header = header_line(fingerprint) + '\n';
  std::error_code code;
  std::string bytes;
  if (std::filesystem::exists(journal.path_, code)) {
    ASSIGN_OR_RETURN(bytes, read_file(journal.path_));
  }
  if (bytes.size() < header.size() && header.starts_with(bytes)) {
    RETURN_IF_ERROR(write_file(journal.path_, header));
    return journal;
  }
  const std::size_t complete = bytes.rfind('\n') + 1;  // 0 if there is none
  const std::string_view lines = std::string_view(bytes).substr(0, complete);
  RETURN_IF_ERROR(journal.read(lines.empty() ? bytes : lines, fingerprint));
  if (complete != bytes.size()) RETURN_IF_ERROR(write_file(journal.path_, lines));
  return journal;
}

Status Journal::read(std::string_view bytes, const Fingerprint& fingerprint) {
  for (int number = 1; !bytes.empty(); ++number) {
    const std::string_view line = bytes.substr(0, bytes.find('\n'));
    bytes.remove_prefix(std::min(line.size() + 1, bytes.size()));
    if (number == 1) {
      if (line != header_line(fingerprint)) return other_search(path_, line, fingerprint);
      continue;
    }
    Result<TrajectoryStep> step = parse_trajectory_step(line);
    if (step && step->step != number - 2) step = Error{fmt::format("it should be step {}", number - 2)};
    if (!step) {
      return Error{fmt::format(
          "line {} of the search journal '{}' is damaged: {}; delete it and all lines after it to go on "
          "from there, or the file to search anew",
          number, path_.string(), step.error().message)};
    }
    steps_.push_back(std::move(step).value());
  }
  return {};
}

Status Journal::append(TrajectoryStep step) {
  if (!path_.empty()) RETURN_IF_ERROR(append_line(path_, to_json(step)));
  steps_.push_back(std::move(step));
  return {};
}

}  // namespace concertina::search
