#include "quantization/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/try.h"
#include "runtime/observer.h"

namespace concertina::quantization {
namespace {

/// Shows `see` what all nodes make of all images.
Status run_all(const RunBatch& run, const Images& images, int most, const Visit& see,
               const std::function<void(int batch)>& advance) {
  std::vector<float> values;
  for (std::int64_t begin = 0; begin < images.count; begin += most) {
    const int batch = static_cast<int>(std::min<std::int64_t>(most, images.count - begin));
    images.fill(begin, batch, values);
    RETURN_IF_ERROR(run(values, batch, see));
    advance(batch);
  }
  return {};
}

}  // namespace

Quantizations quantizations_of(const CalibratedTensors& tensors) {
  Quantizations all;
  for (const CalibratedTensor& tensor : tensors) all.emplace(tensor.name, tensor.quantization);
  return all;
}

Result<CalibratedTensors> calibrate_subnet(const Graph& graph, const RunBatch& run, const Images& images,
                                           const CalibrateOptions& options,
                                           const std::function<void(int batch)>& advance) {
  std::map<NodeId, Ends> ends;
  std::optional<Error> odd;
  const Visit see_ends = [&](NodeId node, std::span<const float> values) {
    const std::optional<float> impossible = ends[node].add(values);
    if (!impossible || odd) return;
    odd = Error{
        fmt::format("the tensor '{}' has the value {} for a calibration image, which 8 bits cannot hold",
                    graph.node(node).name, *impossible)};
  };
  const auto until_odd = [&](std::span<const float> values, int batch, const Visit& visit) -> Status {
    RETURN_IF_ERROR(run(values, batch, visit));
    return odd ? Status(*odd) : Status();
  };
  RETURN_IF_ERROR(run_all(until_odd, images, options.batch, see_ends, advance));
  std::map<NodeId, Histogram> histograms;
  for (const auto& [node, found] : ends) histograms.emplace(node, found.interval());
  const Visit count = [&](NodeId node, std::span<const float> values) { histograms.at(node).add(values); };
  RETURN_IF_ERROR(run_all(run, images, options.batch, count, advance));
  CalibratedTensors tensors;
  for (const auto& [node, histogram] : histograms) {
    const Interval range = choose_range(histogram, options.range);
    const Quantization how = quantization_of(range);
    tensors.push_back({.name = graph.node(node).name,
                       .ends = histogram.ends(),
                       .range = range,
                       .quantization = how,
                       .rounding = rounding_of(histogram, how)});
  }
  return tensors;
}

Result<std::vector<CalibratedTensors>> calibrate(const onnx::ModelFile& model, const Images& images,
                                                 const CalibrateOptions& options, Progress& progress) {
  std::vector<CalibratedTensors> all;
  std::int64_t done = 0;
  const auto subnets = static_cast<int>(model.subnets.size());
  progress.start("calibrate", 2 * subnets * images.count);
  for (int subnet = 0; subnet < subnets; ++subnet) {
    ASSIGN_OR_RETURN(runtime::Observer observer,
                     runtime::Observer::make(model, subnet, options.batch, options.threads));
    const auto run = [&](std::span<const float> values, int batch, const Visit& visit) {
      return observer.run(values, batch, visit);
    };
    const auto advance = [&](int batch) {
      done += batch;
      progress.update(done, fmt::format("sub-net {}", subnet));
    };
    auto tensors = calibrate_subnet(model.network.graph, run, images, options, advance);
    if (!tensors) return Error{fmt::format("sub-net {}: {}", subnet, tensors.error().message)};
    all.push_back(*std::move(tensors));
  }
  return all;
}

}  // namespace concertina::quantization
