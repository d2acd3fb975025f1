#include "train/compute.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/machine.h"
#include "base/try.h"

namespace concertina::train {
namespace {

/// The CPU, or a CUDA device that is there.
Result<torch::Device> find_device(const std::string& device) {
  if (device == "cpu") return torch::Device(torch::kCPU);
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
    return chosen;
  } catch (const c10::Error&) {
    return Error{fmt::format("--device {}: choose cpu, cuda, or cuda:N", device)};
  }
}

/// The name of the device that one of several processes takes.
Result<std::string> device_of(const std::string& device, const Place& place) {
  if (place.count == 1 || !device.starts_with("cuda")) return device;
  if (device == "cuda") return fmt::format("cuda:{}", place.local_rank);
  return Error{fmt::format("--device {}: of {} processes each takes a device of its own; use --device cuda",
                           device, place.count)};
}

}  // namespace

Result<Compute> make_compute(const std::string& device, int threads, const Place& place) {
  at::set_num_threads(threads > 0 ? threads : std::max(1, usable_cores() / place.local_count));
  ASSIGN_OR_RETURN(const std::string name, device_of(device, place));
  ASSIGN_OR_RETURN(const torch::Device chosen, find_device(name));
  if (!chosen.is_cpu()) {
    // Otherwise convolutions would round their inputs to 10 bits where the recipe says fp32.
    at::globalContext().setAllowTF32CuDNN(false);
    // Convolutions whose sums have one order, so that equal seeds give equal tables.
    at::globalContext().setDeterministicCuDNN(true);
    at::globalContext().setBenchmarkCuDNN(false);
  }
  ASSIGN_OR_RETURN(Processes processes, Processes::meet(place, chosen));
  return Compute{.device = chosen, .processes = processes};
}

std::string describe(const Compute& compute) {
  const int threads = at::get_num_threads(), processes = compute.processes.count();
  const std::string where = compute.device.is_cpu()
                                ? fmt::format("{}, {} thread{}", cpu_name(), threads, threads == 1 ? "" : "s")
                            : processes > 1 ? "cuda"
                                            : compute.device.str();
  return processes == 1 ? where : fmt::format("{}, {} processes", where, processes);
}

}  // namespace concertina::train
