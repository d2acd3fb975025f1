#include "subjects.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "base/try.h"

namespace concertina::bench {

Result<std::vector<Subject>> built_in_subjects(const std::vector<std::string>& names) {
  std::vector<Subject> all;
  std::vector<std::string> known;
  const auto wanted = [&](const std::string& name) {
    return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const Case& c : all_cases()) {
    known.push_back(fmt::format("{}-{}", c.title(), c.size));
    if (!wanted(c.title()) && !wanted(known.back())) continue;
    ASSIGN_OR_RETURN(BenchModel model, make_bench_model(c));
    all.push_back({c.title(), c.size, c.batches, std::move(model)});
  }
  if (all.empty()) return Error{fmt::format("--networks names none of {}", fmt::join(known, ", "))};
  return all;
}

Result<Subject> read_subject(const std::string& path) {
  ASSIGN_OR_RETURN(BenchModel model, read_bench_model(path));
  return Subject{std::filesystem::path(path).stem(), 0, {1}, std::move(model)};
}

}  // namespace concertina::bench
