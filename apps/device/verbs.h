#pragma once

#include "common/program.h"

namespace concertina::apps {

void add_inspect(CLI::App& program, Action& chosen);
void add_eval(CLI::App& program, Action& chosen);
void add_bench(CLI::App& program, Action& chosen);
void add_tune(CLI::App& program, Action& chosen);
void add_precisions(CLI::App& program, Action& chosen);
void add_profile(CLI::App& program, Action& chosen);
void add_plan(CLI::App& program, Action& chosen);
void add_simulate(CLI::App& program, Action& chosen);
void add_soak(CLI::App& program, Action& chosen);
void add_verify(CLI::App& program, Action& chosen);
void add_export(CLI::App& program, Action& chosen);
void add_cascade(CLI::App& program, Action& chosen);
void add_classify(CLI::App& program, Action& chosen);
void add_schedule(CLI::App& program, Action& chosen);
void add_watch(CLI::App& program, Action& chosen);

}  // namespace concertina::apps
