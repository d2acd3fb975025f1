#include "kernels/bf16_unit.h"
#include "kernels/training/conv_tiles.h"

#if defined(__x86_64__) && defined(__linux__)
namespace concertina::kernels {
namespace {

// In assembler, because g++'s intrinsics take tiles as digits only, which a template has none of. All of them
// may touch memory, so that the compiler moves no load or store past them.
struct AmxTiles {
  template <int kTile>
  static void zero() {
    __asm__ volatile("tilezero %%tmm%c0" ::"i"(kTile) : "memory");
  }
  template <int kTile>
  static void load(const void* from, std::ptrdiff_t row_bytes) {
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(row_bytes), "i"(kTile) : "memory");
  }
  template <int kTile>
  static void store(void* to, std::ptrdiff_t row_bytes) {
    __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(row_bytes), "i"(kTile) : "memory");
  }
  template <int kSums, int kA, int kB>
  static void multiply() {
    __asm__ volatile("tdpbf16ps %%tmm%c0, %%tmm%c1, %%tmm%c2" ::"i"(kB), "i"(kA), "i"(kSums) : "memory");
  }
};

}  // namespace
}  // namespace concertina::kernels
#endif

namespace concertina::kernels {

const TrainingUnit* training_amx_unit() {
#if defined(__x86_64__) && defined(__linux__)
  if (const Bf16Unit* tiles = amx_unit()) {
    static const TrainingUnit unit = TileProducts<AmxTiles>::unit("AMX", tiles->begin, tiles->end);
    return &unit;
  }
#endif
  return nullptr;
}

}  // namespace concertina::kernels
