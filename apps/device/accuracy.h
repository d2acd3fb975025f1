#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "concertina/session.h"
#include "data/read.h"

namespace concertina::apps {

/// A labelled data set, and how a model runs over it.
struct DataOptions {
  std::string data;
  std::string format = "auto";
  std::string split = "test";
  int threads = 0;  ///< 0 = one per processor
  int batch = 64;
};

/// Adds --data, --format, --threads and --batch to a verb.
CLI::Option* add_data_options(CLI::App* verb, DataOptions& options);

/// A model over a data set.
class Accuracy {
 public:
  /// Fails if the images cannot be read or the model does not take them.
  static Result<Accuracy> make(std::shared_ptr<const Model> model, const DataOptions& options);

  std::int64_t images() const { return set_.size(); }

  /// Top-1 of a sub-net.
  Result<double> of(int subnet);

 private:
  Accuracy(Session session, ImageSet set, int batch)
      : session_(std::move(session)), set_(std::move(set)), batch_(batch) {}

  Session session_;
  ImageSet set_;
  int batch_;
};

}  // namespace concertina::apps
