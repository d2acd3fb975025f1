#include "train/images/batch_queue.h"

#include <utility>

namespace concertina::train {

BatchQueue::BatchQueue(const ImageBatches& images, std::vector<std::span<const std::int64_t>> parts)
    : BatchQueue(images, static_cast<std::int64_t>(parts.size()), [&images, parts](std::int64_t i) {
        return images.batch(parts[static_cast<std::size_t>(i)]);
      }) {}

Batch BatchQueue::take() {
  const Time before = batches_.waited();
  Batch batch = batches_.take();
  images_.add_wait(batches_.waited() - before);
  return batch;
}

void for_each_batch(const ImageBatches& images, std::span<const std::int64_t> indices, std::size_t most,
                    const std::function<void(const Batch& batch)>& visit) {
  const std::size_t count = indices.size(), batches = (count + most - 1) / most;
  std::vector<std::span<const std::int64_t>> parts;
  for (std::size_t i = 0; i < batches; ++i) {
    const std::size_t begin = count * i / batches;
    parts.push_back(indices.subspan(begin, count * (i + 1) / batches - begin));
  }
  BatchQueue queue(images, parts);
  for (std::size_t i = 0; i < batches; ++i) visit(queue.take());
}

}  // namespace concertina::train
