#include "runtime/memory_map.h"

#include "base/aligned_buffer.h"

namespace concertina::runtime {
namespace {

/// Floats for one image, in whole cache lines.
std::ptrdiff_t image_size(const PixelLayout& layout, const Value& value) {
  constexpr std::ptrdiff_t kLine = AlignedBuffer::kAlignment / sizeof(float);
  return (std::ptrdiff_t{value.pixels()} * layout.stride + kLine - 1) / kLine * kLine;
}

}  // namespace

MemoryMap::MemoryMap(const ChannelLayout& channels, const Program& program, const Storage& storage,
                     const Subnet& subnet, const std::vector<int>& units) {
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < program.values.size(); ++i) {
    layouts_.push_back(pixel_layout(channels, program.values[i], subnet, units[i]));
    const bool root = storage.is_root(static_cast<ValueId>(i));
    blocks.push_back(
        {.size = root ? image_size(layouts_[i], program.values[i]) : 0, .lifetime = storage.lifetimes[i]});
  }
  const ArenaPlan arena = plan_arena(blocks);
  size_ = arena.total;
  for (const Placement& placement : storage.placements) {
    Place place{.buffer = arena.offsets[static_cast<std::size_t>(placement.root)],
                .stride = layout(placement.root).stride};
    for (const auto& [value, segments] : placement.before) place.channel += layout(value).before(segments);
    places_.push_back(place);
  }
}

Place MemoryMap::place(ValueId id, int offset) const {
  Place place = this->place(id);
  place.channel += offset;
  return place;
}

}  // namespace concertina::runtime
