#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "concertina/session.h"
#include "graph/graph.h"
#include "interleaved.h"
#include "peer/onnxruntime.h"

namespace concertina::bench {

/// How a sub-net is run.
struct Setting {
  int threads = 1;
  int batch = 1;
  Pace pace;
};

/// Two sides that ran the same images of fill() in turn.
struct InTurn {
  Interleaved times;
  std::vector<float> ours;  ///< outputs
  std::vector<float> peer;
};

/// A session of the peer for `onnx`, which is a sub-net of the graph. Fails with the peer's message.
Result<peer::OnnxRuntimeSession> peer_session(const std::shared_ptr<const peer::OnnxRuntime>& peer,
                                              const Graph& graph, std::string_view onnx, int batch,
                                              int threads);

/// Our sub-net and the peer's session of the same sub-net. Precondition: both sessions are of the setting.
Result<InTurn> against_peer(Session& ours, int subnet, peer::OnnxRuntimeSession peer, const Setting& setting);

/// One sub-net of two models of ours; the second one is the peer. Precondition: as above.
Result<InTurn> against_ours(Session& ours, Session& peer, int subnet, const Setting& setting);

}  // namespace concertina::bench
