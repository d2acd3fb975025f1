#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "concertina/result.h"

namespace concertina::train {

/// Which of the processes that train one network together this process is, and where they meet.
struct Place {
  int rank = 0;
  int count = 1;  ///< 1: it is alone, and the rest says nothing
  int local_rank = 0;
  int local_count = 1;  ///< of those on this machine, which share its cores
  /// On one machine: a file that is missing or empty, and that all can write. It is gone once they have met.
  std::filesystem::path meeting = {};
  std::string address = {};  ///< otherwise where process 0 listens
  int port = 0;
  bool has_listener = false;           ///< torchrun itself listens there, not process 0
  std::string prefix = {};             ///< of the keys by which they meet: another one after each restart
  std::string network_interface = {};  ///< by which they talk; empty: that of the machine's name
};

/// The value of an environment variable, or null.
using Variables = std::function<const char*(const char* name)>;

/// The place that torchrun, Slurm or Kubernetes give a process: RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT,
/// LOCAL_RANK and LOCAL_WORLD_SIZE. Without RANK and WORLD_SIZE the process is alone. Fails, naming the
/// variable, if one is missing or malformed.
Result<Place> place_from(const Variables& variables);

}  // namespace concertina::train
