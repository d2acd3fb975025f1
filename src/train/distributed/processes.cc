#include "train/distributed/processes.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/file.h"
#include "train/distributed/group.h"
#include "train/distributed/local_group.h"

namespace concertina::train {
namespace {

using GlooOptions = c10d::ProcessGroupGloo::Options;

bool on_one_machine(const Place& place) {
  return !place.meeting.empty() || place.address == "localhost" || place.address.starts_with("127.");
}

compat::Store open_store(const Place& place) {
  if (!place.meeting.empty())
    return c10::make_intrusive<c10d::FileStore>(place.meeting.string(), place.count);
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(place.port);
  options.isServer = place.rank == 0 && !place.has_listener;
  options.numWorkers = static_cast<std::size_t>(place.count);
  auto store = c10::make_intrusive<c10d::TCPStore>(place.address, options);
  if (place.prefix.empty()) return store;
  return c10::make_intrusive<c10d::PrefixStore>(place.prefix, std::move(store));
}

compat::Group gloo(const Place& place, const compat::Store& store,
                   const std::shared_ptr<SharedSum>& shared_sum) {
  const auto options = GlooOptions::create();
  options->devices = {!place.network_interface.empty()
                          ? c10d::ProcessGroupGloo::createDeviceForInterface(place.network_interface)
                      : on_one_machine(place) ? c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1")
                                              : c10d::ProcessGroupGloo::createDefaultDevice()};
  if (shared_sum)
    return compat::gloo_group(
        store, place.rank, place.count,
        c10::make_intrusive<LocalGroup>(store, place.rank, place.count, options, shared_sum));
  return compat::gloo_group(
      store, place.rank, place.count,
      c10::make_intrusive<c10d::ProcessGroupGloo>(store, place.rank, place.count, options));
}

Processes::Group open_group(const Place& place, torch::Device device) {
  const compat::Store store = open_store(place);
  const std::shared_ptr<SharedSum> shared_sum = share_memory(place, store);
#ifdef CONCERTINA_NCCL
  if (device.is_cuda()) return {compat::nccl_group(store, place.rank, place.count), device, shared_sum};
#endif
  return {gloo(place, store, shared_sum), device, shared_sum};
}

/// LibTorch adds a trace of calls.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// Starts work of the group and waits for its end.
template <typename Start>
void wait_for(const Start& start) {
  try {
    start()->wait();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& exception) {
    throw LostProcess(exception.what());
  }
}

torch::Tensor as_tensor(std::string& text) {
  return torch::from_blob(text.data(), {static_cast<std::int64_t>(text.size())}, torch::kByte);
}

}  // namespace

Result<Processes> Processes::meet(const Place& place, torch::Device device) {
  if (place.count == 1) return Processes();
#ifndef CONCERTINA_NCCL
  if (!device.is_cpu()) {
    return Error{
        "--device cuda: this LibTorch has no NCCL, or nccl.h was missing when the program was built, so CUDA "
        "devices cannot train together; use --device cpu, or one process"};
  }
#endif
  try {
    const Processes processes(new Group(open_group(place, device)));
    processes.sum(torch::zeros({1}));  // nobody leaves before all are here
    std::error_code code;
    if (processes.first() && !place.meeting.empty()) std::filesystem::remove(place.meeting, code);
    return processes;
  } catch (const std::exception& exception) {
    const std::string where = place.meeting.empty() ? fmt::format("{}:{}", place.address, place.port)
                                                    : "'" + place.meeting.string() + "'";
    return Error{fmt::format("process {} of {} did not meet the others at {}: {}", place.rank, place.count,
                             where, first_line(exception.what()))};
  }
}

int Processes::rank() const {
  return group_ ? group_->group->getRank() : 0;
}

int Processes::count() const {
  return group_ ? group_->group->getSize() : 1;
}

std::span<const std::int64_t> Processes::share(std::span<const std::int64_t> all) const {
  const auto of = static_cast<std::size_t>(count()), mine = static_cast<std::size_t>(rank());
  const std::size_t begin = all.size() * mine / of;
  return all.subspan(begin, all.size() * (mine + 1) / of - begin);
}

void Processes::sum(const torch::Tensor& tensor) const {
  if (alone()) return;
  const torch::NoGradGuard no_grad;
  if (group_->shared_sum && add_up(*group_->shared_sum, tensor)) return;
  std::vector<torch::Tensor> sent = {tensor.to(group_->device).contiguous()};
  wait_for([&] { return group_->group->allreduce(sent); });
  if (!sent[0].is_same(tensor)) tensor.copy_(sent[0]);
}

void Processes::mean(std::span<double> values) const {
  if (alone()) return;
  const torch::Tensor tensor =
      torch::from_blob(values.data(), {static_cast<std::int64_t>(values.size())}, torch::kDouble);
  sum(tensor);
  tensor.div_(count());
}

void Processes::take_from_first(const torch::Tensor& tensor) const {
  if (alone()) return;
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> sent = {tensor.detach().to(group_->device).contiguous()};
  wait_for([&] { return group_->group->broadcast(sent); });
  tensor.detach().copy_(sent[0]);
}

std::string Processes::from(int rank, std::string bytes) const {
  c10d::BroadcastOptions options;
  options.rootRank = rank;
  std::vector<torch::Tensor> size = {
      torch::tensor(static_cast<std::int64_t>(bytes.size())).to(group_->device)};
  wait_for([&] { return group_->group->broadcast(size, options); });
  bytes.resize(static_cast<std::size_t>(size[0].item<std::int64_t>()));
  if (bytes.empty()) return bytes;
  std::vector<torch::Tensor> sent = {as_tensor(bytes).to(group_->device)};
  wait_for([&] { return group_->group->broadcast(sent, options); });
  as_tensor(bytes).copy_(sent[0]);
  return bytes;
}

std::string Processes::from_first(std::string bytes) const {
  return alone() ? bytes : from(0, std::move(bytes));
}

Status Processes::agree(const Status& status) const {
  if (alone()) return status;
  const torch::Tensor failed = torch::zeros({count()}, torch::kLong);
  failed[rank()] = status ? 0 : 1;
  sum(failed);
  for (int other = 0; other < count(); ++other) {
    if (failed[other].item<std::int64_t>() == 0) continue;
    return Error{from(other, status ? "" : status.error().message)};
  }
  return {};
}

Status Processes::first_does(const std::function<Status()>& work) const {
  if (alone()) return work();
  return agree(first() ? work() : Status());
}

Result<std::string> Processes::read_file(const std::filesystem::path& path) const {
  if (alone()) return concertina::read_file(path);
  std::string bytes;
  const Status read = first_does([&]() -> Status {
    auto result = concertina::read_file(path);
    if (!result) return result.error();
    bytes = *std::move(result);
    return {};
  });
  if (!read) return read.error();
  return from(0, std::move(bytes));
}

bool Processes::exists(const std::filesystem::path& path) const {
  if (alone()) return std::filesystem::exists(path);
  return !from(0, first() && std::filesystem::exists(path) ? "yes" : "").empty();
}

}  // namespace concertina::train
