#include "in_turn.h"

#include "base/try.h"
#include "images.h"
#include "onnx/rank.h"

namespace concertina::bench {

Result<peer::OnnxRuntimeSession> peer_session(const std::shared_ptr<const peer::OnnxRuntime>& peer,
                                              const Graph& graph, std::string_view onnx, int batch,
                                              int threads) {
  ASSIGN_OR_RETURN(const std::vector<int> ranks, onnx::value_ranks(graph));
  const auto described = [&](NodeId id) {
    return peer::OnnxRuntimeValue{graph.node(id).name, onnx::onnx_shape(graph.shape(id), ranks[id], batch)};
  };
  std::vector<peer::OnnxRuntimeValue> inputs, outputs;
  for (NodeId id = 0; id < graph.inputs(); ++id) inputs.push_back(described(id));
  for (const NodeId id : graph.outputs()) outputs.push_back(described(id));
  return peer::OnnxRuntimeSession::make(peer, onnx, std::move(inputs), std::move(outputs), threads);
}

Result<InTurn> against_peer(Session& ours, int subnet, peer::OnnxRuntimeSession peer,
                            const Setting& setting) {
  fill(peer.input());
  InTurn both{.times = {}, .ours = std::vector<float>(peer.output().size()), .peer = {}};
  const auto our_run = [&] { return ours.run(peer.input(), setting.batch, subnet, both.ours); };
  ASSIGN_OR_RETURN(both.times, interleave(
                                   our_run, [&] { return peer.run(); }, setting.pace));
  both.peer.assign(peer.output().begin(), peer.output().end());
  return both;
}

Result<InTurn> against_ours(Session& ours, Session& peer, int subnet, const Setting& setting) {
  const auto batch = static_cast<std::size_t>(setting.batch);
  std::vector<float> images(batch * ours.model().input_size());
  fill(images);
  const std::vector<float> empty(batch * ours.model().output_size());
  InTurn both{.times = {}, .ours = empty, .peer = empty};
  const auto run_of = [&](Session& session, std::vector<float>& outputs) {
    return [&] { return session.run(images, setting.batch, subnet, outputs); };
  };
  ASSIGN_OR_RETURN(both.times, interleave(run_of(ours, both.ours), run_of(peer, both.peer), setting.pace));
  return both;
}

}  // namespace concertina::bench
