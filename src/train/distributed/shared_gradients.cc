#include "train/distributed/shared_gradients.h"

#include <algorithm>
#include <set>

#include "train/distributed/group.h"

namespace concertina::train {
namespace {

/// What the graph does not know first, then its parameters from the first layer to the last.
std::vector<torch::Tensor> in_order(const Graph& graph, const Tensors& trained) {
  std::vector<torch::Tensor> others, layers;
  std::set<std::string> placed;
  for (NodeId id = 0; id < graph.size(); ++id) {
    for (const Parameter& parameter : parameters(graph, id)) {
      const std::string name = parameter_name(graph.node(id), parameter);
      const auto found = trained.find(name);
      if (found == trained.end() || !placed.insert(name).second) continue;
      if (found->second.requires_grad()) layers.push_back(found->second);
    }
  }
  for (const auto& [name, tensor] : trained)
    if (tensor.requires_grad() && !placed.contains(name)) others.push_back(tensor);
  others.insert(others.end(), layers.begin(), layers.end());
  return others;
}

/// Makes tensors part of a backward pass that adds nothing to their gradients.
struct Touch final : torch::autograd::Node {
  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    torch::autograd::variable_list results(num_outputs());
    results[0] = std::move(gradients[0]);
    return results;
  }
};

/// The loss, whose backward pass reaches also the tensors that earlier passes have given gradients. The
/// Reducer would take them for unused, and leave their gradients as they are.
torch::Tensor reaching(const torch::Tensor& loss, const std::vector<torch::Tensor>& trained) {
  torch::autograd::variable_list reached = {loss};
  for (const torch::Tensor& tensor : trained)
    if (tensor.grad().defined()) reached.push_back(tensor);
  const auto touch = std::make_shared<Touch>();
  touch->set_next_edges(torch::autograd::collect_next_edges(reached));
  torch::Tensor result = loss.detach();
  torch::autograd::create_gradient_edge(result, touch);
  return result;
}

}  // namespace

SharedGradients::SharedGradients() = default;
SharedGradients::~SharedGradients() = default;
SharedGradients::SharedGradients(SharedGradients&&) noexcept = default;
SharedGradients& SharedGradients::operator=(SharedGradients&&) noexcept = default;

SharedGradients::SharedGradients(const Processes& processes, const Graph& graph, const Tensors& trained) {
  if (processes.alone()) return;
  trained_ = in_order(graph, trained);
  const std::vector<bool> sparse(trained_.size(), false);
  auto [buckets, limits] = c10d::compute_bucket_assignment_by_size(
      trained_, {c10d::kDefaultFirstBucketBytes, c10d::kDefaultBucketBytesCap}, sparse);
  std::reverse(buckets.begin(), buckets.end());
  std::reverse(limits.begin(), limits.end());
  // A sub-net's own arrays, and the heads that nothing is learned from, are not part of every pass.
  constexpr bool kFindUnused = true, kAsViews = false;
  reducer_ = std::make_unique<c10d::Reducer>(
      trained_, std::move(buckets), std::move(limits), processes.group()->group, sparse,
      c10d::kDefaultBucketBytesCap, kFindUnused, kAsViews, std::unordered_map<std::size_t, std::string>(),
      c10d::kDefaultFirstBucketBytes);
}

void SharedGradients::backward(const torch::Tensor& loss) const {
  if (!reducer_) return loss.backward();
  const torch::Tensor last = reaching(loss, trained_);
  try {
    {
      compat::NoWarnings silent;  // it warns where every tensor is used, which it may be
      const compat::WarningGuard guard(&silent);
      reducer_->prepare_for_backward({last});
    }
    last.backward();
  } catch (const LostProcess&) {
    throw;
  } catch (const std::exception& exception) {
    if (compat::is_loss(exception)) throw LostProcess(exception.what());
    throw;
  }
}

}  // namespace concertina::train
