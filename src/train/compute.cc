#include "train/compute.h"

#include <fmt/format.h>

#include "base/machine.h"

namespace concertina::train {

Result<Compute> make_compute(const std::string& device, int threads) {
  at::set_num_threads(threads > 0 ? threads : usable_cores());
  if (device == "cpu") return Compute{};
  if (device != "cuda" && !device.starts_with("cuda:")) {
    return Error{fmt::format("--device {}: choose cpu, cuda, or cuda:N", device)};
  }
  if (!torch::cuda::is_available()) {
    return Error{fmt::format("--device {}: this LibTorch finds no CUDA device; use --device cpu", device)};
  }
  try {
    const torch::Device chosen(device);
    if (chosen.has_index() && chosen.index() >= static_cast<int>(torch::cuda::device_count())) {
      return Error{
          fmt::format("--device {}: there are only {} CUDA devices", device, torch::cuda::device_count())};
    }
    // Otherwise convolutions would round their inputs to 10 bits where the recipe says fp32.
    at::globalContext().setAllowTF32CuDNN(false);
    // Convolutions whose sums have one order, so that equal seeds give equal tables.
    at::globalContext().setDeterministicCuDNN(true);
    at::globalContext().setBenchmarkCuDNN(false);
    return Compute{.device = chosen};
  } catch (const c10::Error&) {
    return Error{fmt::format("--device {}: choose cpu, cuda, or cuda:N", device)};
  }
}

std::string describe(const Compute& compute) {
  if (!compute.device.is_cpu()) return compute.device.str();
  const int threads = at::get_num_threads();
  return fmt::format("{}, {} thread{}", cpu_name(), threads, threads == 1 ? "" : "s");
}

}  // namespace concertina::train
