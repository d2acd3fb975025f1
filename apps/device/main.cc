#include "common/program.h"
#include "device/verbs.h"

int main(int argc, char** argv) {
  using namespace concertina::apps;
  constexpr AddVerb kVerbs[] = {add_inspect,    add_eval,   add_bench,    add_profile,  add_tune,
                                add_precisions, add_verify, add_export,   add_classify, add_cascade,
                                add_plan,       add_soak,   add_simulate, add_watch,    add_schedule};
  return run_program("concertina", "Runs a dynamic network: one model, many sizes.", kVerbs, argc, argv);
}
