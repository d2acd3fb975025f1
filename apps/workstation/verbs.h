#pragma once

#include "common/program.h"

namespace concertina::apps {

/// run, and each stage of it: pretrain, rank, search, select, joint, package.
void add_run_verbs(CLI::App& program, Action& chosen);

/// compare
void add_compare_verb(CLI::App& program, Action& chosen);

}  // namespace concertina::apps
