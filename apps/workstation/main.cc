#include <climits>
#include <cstdlib>  // defines __GLIBC__
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "common/program.h"
#include "workstation/verbs.h"

namespace {

/// Every op of a training step allocates its result. By default glibc gives freed memory of that size back to
/// the kernel and takes it again page by page; these page faults took a fifth of the processor time.
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, INT_MAX);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  using namespace concertina::apps;
  keep_freed_memory();
  constexpr AddVerb kVerbs[] = {add_import_verb, add_explain_verb, add_run_verbs, add_compare_verb,
                                add_quantize_verb};
  return run_program("concertina-train", "Makes a dynamic network: one set of weights, many sizes.", kVerbs,
                     argc, argv);
}
