#pragma once

#include "common/program.h"

namespace concertina::apps {

/// run, each stage of it (pretrain, rank, search, select, joint, package), and rankers.
void add_run_verbs(CLI::App& program, Action& chosen);

/// compare
void add_compare_verb(CLI::App& program, Action& chosen);

/// import: another program's ONNX file -> one that a recipe takes.
void add_import_verb(CLI::App& program, Action& chosen);

/// explain: the channel dimensions of a network and why they are as they are.
void add_explain_verb(CLI::App& program, Action& chosen);

/// quantize: the scales of a model's tensors for int8.
void add_quantize_verb(CLI::App& program, Action& chosen);

}  // namespace concertina::apps
