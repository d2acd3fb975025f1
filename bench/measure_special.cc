#include <vector>

#include "base/statistics.h"
#include "base/try.h"
#include "images.h"
#include "measure.h"

namespace concertina::bench {
namespace {

/// Weights and images such as ours are denormal numbers times this.
constexpr float kVanishing = 1e-40F;

}  // namespace

Status measure_switching(const Subject& subject, const std::shared_ptr<const Model>& fp32,
                         PeerReport& report) {
  ASSIGN_OR_RETURN(Session session, Session::make(fp32));
  std::vector<float> images(fp32->input_size()), logits(fp32->output_size());
  fill(images);
  const int count = static_cast<int>(fp32->subnets().size());
  const auto run = [&](int subnet) {
    return time_ms([&] { return session.run(images, 1, subnet, logits); });
  };
  constexpr int kTurns = 60;
  for (int subnet = 0; subnet < count; ++subnet) {
    std::vector<double> after_other, after_same;
    for (int turn = 0; turn < kTurns; ++turn) {
      RETURN_IF_ERROR(run((subnet + 1 + turn % (count - 1)) % count));
      ASSIGN_OR_RETURN(const double switched, run(subnet));
      RETURN_IF_ERROR(run(subnet));
      ASSIGN_OR_RETURN(const double stayed, run(subnet));
      after_other.push_back(switched);
      after_same.push_back(stayed);
    }
    report.switching.push_back({subject.network, subject.size, subject.model.subnets[subnet].name,
                                quantile(after_other, 0.5) / quantile(after_same, 0.5)});
  }
  return {};
}

Status measure_denormals(const Subject& subject, const std::shared_ptr<const Model>& fp32, const Pace& pace,
                         PeerReport& report) {
  onnx::ModelFile file = subject.model.file;
  for (auto& [name, array] : file.network.weights) {
    if (!name.ends_with(".weight") && !name.ends_with(".bias")) continue;
    for (float& value : array.values) value *= kVanishing;
  }
  ASSIGN_OR_RETURN(const std::string bytes, onnx::serialize_model(file));
  ASSIGN_OR_RETURN(const auto vanishing, Model::parse(bytes));
  ASSIGN_OR_RETURN(Session ordinary_session, Session::make(fp32));
  ASSIGN_OR_RETURN(Session session, Session::make(vanishing));
  std::vector<float> images(fp32->input_size()), logits(fp32->output_size());
  fill(images);
  std::vector<float> small = images;
  for (float& value : small) value *= kVanishing;
  ASSIGN_OR_RETURN(const Interleaved times,
                   interleave([&] { return session.run(small, 1, 0, logits); },
                              [&] { return ordinary_session.run(images, 1, 0, logits); }, pace));
  report.denormals.push_back({subject.network, subject.size, times});
  return {};
}

}  // namespace concertina::bench
