#include "common/program.h"
#include "workstation/verbs.h"

int main(int argc, char** argv) {
  using namespace concertina::apps;
  constexpr AddVerb kVerbs[] = {add_run_verbs, add_compare_verb};
  return run_program("concertina-train", "Makes a dynamic network: one set of weights, many sizes.", kVerbs,
                     argc, argv);
}
