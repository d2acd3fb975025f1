#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "concertina/session.h"
#include "onnx/model_file.h"
#include "runtime/model_impl.h"
#include "testing/graphs.h"

/// Models that run, and what tests compare.
namespace concertina::testing {

using Floats = std::vector<float>;

inline std::shared_ptr<const Model> load(const onnx::ModelFile& file, const ModelOptions& options = {}) {
  auto model = runtime::make_model(file, options);
  EXPECT_TRUE(model) << model.error().message;
  return std::move(model).value();
}

/// In bf16 or int8 wherever that can be, though it may not pay.
std::shared_ptr<const Model> load_rounded(const onnx::ModelFile& file, Precision precision = Precision::bf16);

/// Gives every sub-net scales that hold each value of a tensor that these images make.
void calibrate(onnx::ModelFile& file, const Floats& images, int batch);

Floats random_images(const Model& model, int batch);

/// A run that has to succeed.
Floats run(Session& session, const Floats& images, int batch, int subnet);

/// Of a new session with these options.
Floats run_alone(std::shared_ptr<const Model> model, const SessionOptions& options, const Floats& images,
                 int batch, int subnet);

/// The largest difference as a share of the largest wanted value.
double relative_error(const Floats& got, const Floats& wanted);

/// `count` sub-nets, the last of them with parameters of its own, each a little narrower than the one before.
onnx::ModelFile random_model(const Graph& graph, int count);

/// `count` nested sub-nets, the last a little above a third of the width; most widths are no whole vectors.
std::vector<Subnet> nested_subnets(const Graph& graph, int count);

/// These sub-nets, each with random statistics, every other one with parameters of its own.
onnx::ModelFile model_file(const Graph& graph, const std::vector<Subnet>& subnets);

}  // namespace concertina::testing
