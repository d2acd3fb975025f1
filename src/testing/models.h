#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "concertina/session.h"
#include "runtime/model_impl.h"
#include "testing/graphs.h"
#include "testing/model_file.h"

/// Models that run, and what tests compare.
namespace concertina::testing {

using Floats = std::vector<float>;

inline std::shared_ptr<const Model> load(const onnx::ModelFile& file, const ModelOptions& options = {}) {
  auto model = runtime::make_model(file, options);
  EXPECT_TRUE(model) << model.error().message;
  return std::move(model).value();
}

Floats random_images(const Model& model, int batch);

/// A run that has to succeed.
Floats run(Session& session, const Floats& images, int batch, int subnet);

/// Of a new session with these options.
Floats run_alone(std::shared_ptr<const Model> model, const SessionOptions& options, const Floats& images,
                 int batch, int subnet);

/// The largest difference as a share of the largest wanted value.
double relative_error(const Floats& got, const Floats& wanted);

}  // namespace concertina::testing
