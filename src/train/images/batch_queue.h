#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/prefetch.h"
#include "train/images/image_batches.h"

namespace concertina::train {

/// The batches of a loop, which another thread prepares, and moves to the device, while the loop works on
/// those before. Two at most are ready or being made. What the loop waits for them counts in
/// ImageBatches::waits(). Whether all images could be read, ImageBatches::status() says; it may know of a
/// batch that is not taken yet.
class BatchQueue {
 public:
  /// `make(i)` is called by the other thread, for 0, 1, 2, ... and less than `count`. What it refers to, and
  /// `images`, must outlive the queue.
  BatchQueue(const ImageBatches& images, std::int64_t count, std::function<Batch(std::int64_t number)> make)
      : images_(images), batches_(count, kAhead, std::move(make), clock_) {}

  /// Images as they are: those at parts[0], then those at parts[1], ...
  BatchQueue(const ImageBatches& images, std::vector<std::span<const std::int64_t>> parts);

  /// Precondition: not all have been taken.
  Batch take();

 private:
  static constexpr std::size_t kAhead = 2;

  const ImageBatches& images_;
  SteadyClock clock_;
  Prefetch<Batch> batches_;
};

/// Visits the images at `indices`, as they are, in batches of `most` at most. These are as even as can be: a
/// single image left over would have no batch statistics.
void for_each_batch(const ImageBatches& images, std::span<const std::int64_t> indices, std::size_t most,
                    const std::function<void(const Batch& batch)>& visit);

}  // namespace concertina::train
