#include "runtime/memory_map.h"

#include "base/aligned_buffer.h"

namespace concertina::runtime {
namespace {

/// Floats for one image, in whole cache lines. Winograd's transform reads whole vectors, a line at most, also
/// of the last pixel of a dense value.
std::ptrdiff_t image_size(const PixelLayout& layout, const Value& value) {
  constexpr std::ptrdiff_t kLine = AlignedBuffer::kAlignment / sizeof(float);
  const std::ptrdiff_t floats = std::ptrdiff_t{value.pixels()} * layout.stride + (value.dense ? kLine : 0);
  return in_lines(floats);
}

}  // namespace

MemoryMap::MemoryMap(const Program& program, const Storage& storage, std::vector<PixelLayout> layouts,
                     const std::vector<Pass>& passes)
    : layouts_(std::move(layouts)) {
  std::vector<int> pass_of;  // each operation's
  std::vector<bool> placed(program.values.size(), true);
  for (std::size_t pass = 0; pass < passes.size(); ++pass) {
    for (int s = passes[pass].begin; s < passes[pass].end; ++s) {
      pass_of.push_back(static_cast<int>(pass));
      const ValueId made = program.operations[s].output;
      if (s + 1 < passes[pass].end) placed[made] = false;
    }
  }
  pass_of.push_back(static_cast<int>(passes.size()));  // when the outputs are read
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < program.values.size(); ++i) {
    const bool root = storage.is_root(static_cast<ValueId>(i));
    const auto [begin, end] = storage.lifetimes[i];
    Block& block = blocks.emplace_back();
    if (!root || !placed[i] || layouts_[i].plain || end < begin) continue;
    block = {.size = image_size(layouts_[i], program.values[i]), .lifetime = {pass_of[begin], pass_of[end]}};
  }
  const ArenaPlan arena = plan_arena(blocks);
  size_ = arena.total;
  for (const Placement& placement : storage.placements) {
    Location at{.buffer = arena.offsets[placement.root], .stride = layout(placement.root).stride};
    for (const auto& [value, segments] : placement.before) at.channel += layout(value).before(segments);
    locations_.push_back(at);
  }
}

Location MemoryMap::location(ValueId id, int offset) const {
  Location at = location(id);
  at.channel += offset;
  return at;
}

}  // namespace concertina::runtime
