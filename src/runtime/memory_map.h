#pragma once

#include <vector>

#include "runtime/frame.h"
#include "runtime/pixel_layout.h"
#include "runtime/storage.h"

namespace concertina::runtime {

/// Where the values of one sub-net lie in the arena.
class MemoryMap {
 public:
  /// layouts: of each value. What a pass of several steps makes before its last one has no place in the
  /// arena.
  MemoryMap(const Program& program, const Storage& storage, std::vector<PixelLayout> layouts,
            const std::vector<Pass>& passes);

  const PixelLayout& layout(ValueId id) const { return layouts_[id]; }
  const Location& location(ValueId id) const { return locations_[id]; }

  /// That of something `offset` floats into the value's pixel.
  Location location(ValueId id, int offset) const;

  /// Floats of the whole arena, for each image of a batch.
  std::ptrdiff_t size() const { return size_; }

 private:
  std::vector<PixelLayout> layouts_;  ///< by value
  std::vector<Location> locations_;   ///< by value; of those without one, the stride is right
  std::ptrdiff_t size_ = 0;
};

}  // namespace concertina::runtime
