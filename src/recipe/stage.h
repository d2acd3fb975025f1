#pragma once

#include <string_view>

namespace concertina::recipe {

/// The stages of a run, in order. Each reads what the one before it wrote.
enum class Stage { pretrain, rank, prepare, search, select, joint, refine, package };
inline constexpr Stage kStages[] = {Stage::pretrain, Stage::rank,  Stage::prepare, Stage::search,
                                    Stage::select,   Stage::joint, Stage::refine,  Stage::package};

/// The stage's verb and folder: "pretrain".
constexpr std::string_view stage_name(Stage stage) {
  constexpr std::string_view kStageNames[] = {"pretrain", "rank",  "prepare", "search",
                                              "select",   "joint", "refine",  "package"};
  return kStageNames[static_cast<int>(stage)];
}

}  // namespace concertina::recipe
