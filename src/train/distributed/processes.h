#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "concertina/result.h"
#include "train/distributed/place.h"
#include "train/torch.h"

namespace concertina::train {

/// Thrown where this process waits for another one that has ended. What is wrong, the other one says.
struct LostProcess : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The processes that train one network together, seen from one of them. Each of them makes the same calls in
/// the same order; each call waits for the others. A process that is alone has nothing to wait for: all calls
/// leave what they are given as it is. Copies are the same processes.
class Processes {
 public:
  struct Group;

  Processes() = default;  ///< alone

  /// Waits for the others, minutes if need be. They then talk through LibTorch's Gloo, or NCCL between CUDA
  /// devices. They stay connected until the process ends.
  static Result<Processes> meet(const Place& place, torch::Device device);

  int rank() const;
  int count() const;
  bool alone() const { return count() == 1; }
  bool first() const { return rank() == 0; }

  /// Of a list the part of this process, as even as can be, in order.
  std::span<const std::int64_t> share(std::span<const std::int64_t> all) const;

  /// In place. The result has the same bits in all processes, and whenever the same is added up.
  void sum(const torch::Tensor& tensor) const;
  /// The same, divided by the number of processes.
  void mean(std::span<double> values) const;

  /// The first process's values replace those of the others.
  void take_from_first(const torch::Tensor& tensor) const;
  std::string from_first(std::string bytes) const;

  /// Success if all have succeeded, or the error of the first that has not.
  Status agree(const Status& status) const;

  // What the first process alone does with files: the others need not see its folder.

  /// `work`, done by the first process only; the result is that of all.
  Status first_does(const std::function<Status()>& work) const;
  Result<std::string> read_file(const std::filesystem::path& path) const;
  bool exists(const std::filesystem::path& path) const;

  /// What LibTorch's own classes take (dist_compat.h); null if alone.
  Group* group() const { return group_; }

 private:
  explicit Processes(Group* group) : group_(group) {}

  std::string from(int rank, std::string bytes) const;

  /// Never deleted: a process that gives up must not wait for the others, who would wait for it.
  Group* group_ = nullptr;
};

}  // namespace concertina::train
