#include "train/conv_choice.h"

#include <fmt/format.h>
#include <torch/version.h>

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "base/machine.h"
#include "base/try.h"
#include "kernels/layout.h"
#include "kernels/training/conv.h"
#include "train/supernet/conv.h"

namespace concertina::train {
namespace {

using Kinds = std::map<std::string, ConvKind>;

Kinds kinds_of(const Graph& graph) {
  Kinds kinds;
  for (const std::optional<ConvKind>& kind : conv_kinds(graph)) {
    if (kind) kinds.emplace(name_of(*kind), *kind);
  }
  return kinds;
}

ConvVerdicts all_alike(const Kinds& kinds, bool libtorch) {
  ConvVerdicts verdicts;
  for (const auto& [name, kind] : kinds) verdicts[name] = {.libtorch = libtorch};
  return verdicts;
}

/// The verdicts on these kinds, if there are such.
ConvVerdicts verdicts_on(const Kinds& kinds, const ConvVerdicts& verdicts) {
  ConvVerdicts found;
  for (const auto& [name, verdict] : verdicts) {
    if (kinds.contains(name)) found[name] = verdict;
  }
  return found;
}

/// Verdicts that runs on one machine share.
class ConvMachine {
 public:
  ConvMachine(const ConvRequest& request, int images, torch::Dtype dtype, Progress& progress)
      : machine_(fmt::format("{}, {}, {}, LibTorch {}, kernels {}, {}, {} threads, {} images", cpu_name(),
                             kernels::target_name(), own_unit(dtype), TORCH_VERSION,
                             kernels::kTrainingConvVersion, torch::toString(dtype), at::get_num_threads(),
                             images)),
        progress_(progress) {
    if (!request.cache.empty())
      file_ = request.cache / fmt::format("convolutions-{:016x}.json", Hash().add(machine_).value());
  }

  Result<ConvVerdicts> read() const {
    std::error_code code;
    if (file_.empty() || !std::filesystem::exists(file_, code)) return ConvVerdicts();
    ASSIGN_OR_RETURN(ConvCache cache, read_as(file_, parse_conv_cache));
    return cache.machine == machine_ ? std::move(cache.kinds) : ConvVerdicts();
  }

  void write(const ConvVerdicts& verdicts) const {
    if (file_.empty()) return;
    if (const Status status = write_file(file_, to_json(ConvCache{machine_, verdicts})); !status)
      progress_.message(fmt::format("convolutions: another run will measure them again, because {}",
                                    status.error().message));
  }

 private:
  std::string machine_;
  std::filesystem::path file_;
  Progress& progress_;
};

/// Verdicts on all kinds, which are in the cache afterwards. Where another run has measured the same
/// meanwhile, its verdicts count.
ConvVerdicts measured(const ConvRequest& request, const Kinds& kinds, Precision precision,
                      Progress& progress) {
  const int images = std::max(1, request.training.batch / request.compute.processes.count());
  const torch::Dtype dtype = request.compute.with(precision).dtype;
  const ConvMachine machine(request, images, dtype, progress);
  ConvVerdicts known;
  if (auto before = machine.read()) {
    known = *std::move(before);
  } else {
    progress.message(fmt::format("convolutions: measured again, because {}", before.error().message));
  }
  std::vector<ConvKind> unknown;
  for (const auto& [name, kind] : kinds) {
    if (!known.contains(name)) unknown.push_back(kind);
  }
  if (unknown.empty()) return verdicts_on(kinds, known);
  ConvVerdicts now = measure_kinds(unknown, dtype, images, request.measure, progress);
  if (auto meanwhile = machine.read()) known = *std::move(meanwhile);
  known.merge(now);
  machine.write(known);
  return verdicts_on(kinds, known);
}

bool fits(const ConvRecord& record, const ConvRecord& wanted, const Kinds& kinds) {
  const bool all = std::all_of(kinds.begin(), kinds.end(),
                               [&](const auto& kind) { return record.kinds.contains(kind.first); });
  return all && record.wanted == wanted.wanted && record.precision == wanted.precision &&
         record.batch == wanted.batch;
}

/// Nothing if there is none.
Result<std::optional<ConvRecord>> read_record(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return std::optional<ConvRecord>();
  auto record = read_as(path, parse_conv_record);
  if (record) return std::optional(*std::move(record));
  return Error{fmt::format("{}; delete it, and the convolutions are measured again", record.error().message)};
}

Result<ConvVerdicts> decide(const ConvRequest& request, const ConvRecord& wanted, Progress& progress) {
  const Kinds kinds = kinds_of(request.graph);
  if (wanted.wanted != recipe::Convolutions::measured)
    return all_alike(kinds, wanted.wanted == recipe::Convolutions::libtorch);
  ASSIGN_OR_RETURN(const std::optional<ConvRecord> before, read_record(request.record));
  if (before && fits(*before, wanted, kinds)) return verdicts_on(kinds, before->kinds);
  if (!request.compute.device.is_cpu()) return all_alike(kinds, false);
  return measured(request, kinds, wanted.precision, progress);
}

std::string summary(const ConvRecord& record) {
  const std::size_t all = record.kinds.size(), others = record.choice().libtorch.size();
  return fmt::format("convolutions: {} of {} kinds by our kernels, {} by LibTorch ({})", all - others, all,
                     others,
                     record.wanted == recipe::Convolutions::measured ? "measured" : "training.convolutions");
}

}  // namespace

ConvVerdicts measure_kinds(const std::vector<ConvKind>& kinds, torch::Dtype dtype, int images,
                           const MeasureKind& measure, Progress& progress) {
  constexpr double kMostMs = 4000, kMostOfOneMs = 400;
  const ConvPace pace{.dtype = dtype,
                      .images = images,
                      .most_ms = std::min(kMostOfOneMs, kMostMs / static_cast<double>(kinds.size()))};
  ConvVerdicts verdicts;
  progress.start("convolutions", static_cast<std::int64_t>(kinds.size()));
  for (const ConvKind& kind : kinds) {
    const KindTimes times = measure(kind, pace);
    verdicts[name_of(kind)] = {.libtorch = libtorch_is_faster(times), .times = times};
    progress.update(static_cast<std::int64_t>(verdicts.size()), "");
  }
  return verdicts;
}

Result<ConvRecord> choose_convolutions(const ConvRequest& request, Progress& progress) {
  const Processes& processes = request.compute.processes;
  ConvRecord wanted{.wanted = request.training.convolutions,
                    .precision = request.training.precision,
                    .batch = request.training.batch};
  std::string text;
  RETURN_IF_ERROR(processes.first_does([&]() -> Status {
    ASSIGN_OR_RETURN(wanted.kinds, decide(request, wanted, progress));
    text = to_json(wanted);
    return {};
  }));
  ASSIGN_OR_RETURN(ConvRecord record, parse_conv_record(processes.from_first(text)));
  if (request.compute.device.is_cpu() && !record.kinds.empty()) progress.message(summary(record));
  return record;
}

}  // namespace concertina::train
