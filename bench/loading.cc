#include "loading.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <functional>

#include "base/file.h"
#include "base/try.h"
#include "graph/cost.h"
#include "in_turn.h"

namespace concertina::bench {
namespace {

double resident_megabytes() {
  std::ifstream statm("/proc/self/statm");
  double all = 0, resident = 0;
  statm >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

struct Spent {
  double ms = 0;
  double megabytes = 0;
};

/// What `load` takes, in a process of its own, so that neither side profits from the other's memory; the
/// process ends before what was loaded is given back.
Result<Spent> in_own_process(const std::function<Status()>& load) {
  int ends[2];
  if (pipe(ends) != 0) return Error{"a pipe cannot be made; close other programs"};
  const pid_t child = fork();
  if (child < 0) return Error{"a process cannot be started; close other programs"};
  if (child == 0) {
    Spent spent;
    const double before = resident_megabytes();
    const Result<double> ms = time_ms(load);
    if (!ms) {
      fmt::print(stderr, "{}\n", ms.error().message);
      _exit(1);
    }
    spent = {*ms, resident_megabytes() - before};
    _exit(write(ends[1], &spent, sizeof spent) == sizeof spent ? 0 : 1);
  }
  close(ends[1]);
  Spent spent;
  const bool told = read(ends[0], &spent, sizeof spent) == sizeof spent;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!told || status != 0) return Error{"loading failed in its own process"};
  return spent;
}

}  // namespace

Result<Loading> measure_loading(const Subject& subject, const std::filesystem::path& folder,
                                const std::filesystem::path& library) {
  const onnx::ModelFile& file = subject.model.file;
  const Graph& graph = file.network.graph;
  const std::filesystem::path ours = folder / "model.onnx";
  RETURN_IF_ERROR(onnx::write_model(ours, file));
  std::vector<std::filesystem::path> exports;
  for (const NamedSubnet& named : subject.model.subnets) {
    ASSIGN_OR_RETURN(const std::string onnx, onnx::export_subnet(file, named.subnet));
    exports.push_back(folder / (named.name + ".onnx"));
    RETURN_IF_ERROR(write_file(exports.back(), onnx));
  }
  // Kept until the process ends.
  std::vector<Session> sessions;
  std::vector<peer::OnnxRuntimeSession> peer_sessions;
  std::shared_ptr<const peer::OnnxRuntime> peer;
  const auto load_ours = [&](const ModelOptions& options) {
    return in_own_process([&]() -> Status {
      ASSIGN_OR_RETURN(const auto model, Model::load(ours, options));
      ASSIGN_OR_RETURN(Session session, Session::make(model));
      sessions.push_back(std::move(session));
      return {};
    });
  };
  ASSIGN_OR_RETURN(const Spent our_cost, load_ours({}));
  const ModelOptions cached{.cache = folder / "cache"};
  RETURN_IF_ERROR(load_ours(cached));  // keeps the packed weights
  ASSIGN_OR_RETURN(const Spent cached_cost, load_ours(cached));
  std::filesystem::remove_all(cached.cache);
  ASSIGN_OR_RETURN(const Spent peer_cost, in_own_process([&]() -> Status {
                     ASSIGN_OR_RETURN(peer, peer::OnnxRuntime::load(library));
                     for (const auto& path : exports) {
                       ASSIGN_OR_RETURN(const FileBytes onnx, read_bytes(path));
                       ASSIGN_OR_RETURN(peer::OnnxRuntimeSession session,
                                        peer_session(peer, graph, onnx.view(), 1, 1));
                       peer_sessions.push_back(std::move(session));
                     }
                     return {};
                   }));
  ASSIGN_OR_RETURN(const auto model, Model::load(ours));
  const Cost full = cost(graph, subject.model.subnets.front().subnet);
  return Loading{.network = subject.network,
                 .size = subject.size,
                 .our_ms = our_cost.ms,
                 .cached_ms = cached_cost.ms,
                 .peer_ms = peer_cost.ms,
                 .our_megabytes = our_cost.megabytes,
                 .peer_megabytes = peer_cost.megabytes,
                 .packed_megabytes = static_cast<double>(model->packed_bytes()) / 1e6,
                 .full_size_megabytes = 4e-6 * static_cast<double>(full.parameters)};
}

}  // namespace concertina::bench
