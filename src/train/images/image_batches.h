#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "concertina/result.h"
#include "data/image_set.h"
#include "train/distributed/processes.h"
#include "train/images/normalization.h"
#include "train/images/pixel_source.h"
#include "train/torch.h"

namespace concertina::train {

class Teacher;

/// Images of one batch, normalised, and what is to be learned of them.
struct Batch {
  std::vector<torch::Tensor> inputs;  ///< [n][c][h][w] fp32, channels last, for each input of the network
  torch::Tensor labels;               ///< int64: [n], or [n][h][w] label maps (data/label_map.h)
  const Teacher* teacher = nullptr;   ///< that of the ImageBatches: its outputs are learned, not the labels
  std::uint64_t key = 0;              ///< equal for the same images as they are; 0: they are augmented
  Processes sharers = {};             ///< each has a part of the batch, this one the part that is here
  std::int64_t elsewhere = 0;         ///< how many images the others have

  const torch::Tensor& images() const { return inputs[0]; }
  std::int64_t size() const { return labels.size(0) + elsewhere; }
};

/// How loops have waited for batches that others were to prepare meanwhile (batch_queue.h).
struct Waits {
  std::int64_t batches = 0;  ///< that they have taken
  Time time{0};

  friend Waits operator-(const Waits& a, const Waits& b) { return {a.batches - b.batches, a.time - b.time}; }
};

/// A data set, served in batches. Two threads may ask for batches at once, but only one waits for them.
class ImageBatches {
 public:
  /// All in the device's memory.
  ImageBatches(const data::ImageSet& set, const Normalization& normalization, torch::Device device)
      : ImageBatches(pixels_in_memory(set, device), set.labels, normalization, device) {}

  /// `labels`: of each image of the source, whose pixels are on the device.
  ImageBatches(std::shared_ptr<const PixelSource> source, const std::vector<std::int32_t>& labels,
               const Normalization& normalization, torch::Device device);

  /// Samples that are no images: what the network takes, fp32 [n][c][h][w], for each input. Nothing is done
  /// to them, and each label is 0.
  explicit ImageBatches(std::vector<torch::Tensor> arrays);

  std::int64_t size() const { return labels_.size(0); }
  bool are_pictures() const { return source_ != nullptr; }

  /// The same; arrays in another order, that of the network's inputs.
  ImageBatches arranged(std::span<const int> order) const;

  /// The same images, whose batches teach what the teacher makes of them.
  ImageBatches taught_by(std::shared_ptr<const Teacher> teacher) const {
    ImageBatches taught = *this;
    taught.teacher_ = std::move(teacher);
    return taught;
  }

  /// The same images, of whose batches each process makes its part. A batch of fewer images than processes
  /// is made whole by all of them.
  ImageBatches shared_by(const Processes& processes) const {
    ImageBatches shared = *this;
    shared.processes_ = processes;
    return shared;
  }

  /// The same, whose waits count as those for `other`.
  ImageBatches counted_with(const ImageBatches& other) const {
    ImageBatches counted = *this;
    counted.waits_ = other.waits_;
    return counted;
  }

  /// Of all loops over these images and over those that were made from them.
  const Waits& waits() const { return *waits_; }
  void add_wait(Time time) const {
    waits_->batches += 1;
    waits_->time += time;
  }

  /// The images at `indices`.
  Batch batch(std::span<const std::int64_t> indices) const;

  /// The same, augmented; `key` (with each image's index) decides how, so a batch can be made again.
  Batch augmented(std::span<const std::int64_t> indices, const Augmentation& augmentation,
                  std::uint64_t key) const;

  /// Fails if an image of a batch so far could not be read, by any of the processes; it was black. To be
  /// asked before results are kept.
  Status status() const { return processes_.agree(source_ ? source_->status() : Status()); }

 private:
  /// Those at which the images of this process's part are.
  std::span<const std::int64_t> part_of(std::span<const std::int64_t> indices) const;
  /// What is learned of a part of a batch, and the images if they are arrays.
  Batch batch_of(std::span<const std::int64_t> part, std::size_t of_all) const;
  /// Takes the images, and the labels of their pixels if they have any.
  void take(const Pixels& pixels, Batch& batch) const;

  std::shared_ptr<const PixelSource> source_;  // null: arrays_ are the images
  std::vector<torch::Tensor> arrays_;
  std::shared_ptr<const Teacher> teacher_;
  Processes processes_;
  torch::Tensor labels_;
  std::optional<Normalizer> normalizer_;  // of pixels
  std::shared_ptr<Waits> waits_ = std::make_shared<Waits>();
};

/// The indices of the `number`-th batch when `indices` are taken in the given order of their places.
std::vector<std::int64_t> batch_indices(std::span<const std::int64_t> indices,
                                        std::span<const std::int64_t> order, std::int64_t number, int batch);

}  // namespace concertina::train
