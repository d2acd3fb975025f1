#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "testing/temporary_folder.h"

/// ONNX Runtime by way of Node.js, for tests: several runs are asked for and made at once.
namespace concertina {

class Peer : public ::testing::Test {
 protected:
  using Floats = std::vector<float>;

  /// Skips the test if ONNX Runtime is not installed.
  void SetUp() override;

  using Shapes = std::vector<std::vector<std::int64_t>>;

  /// Those of a network's inputs, as its ONNX file has them.
  static Shapes input_shapes(const Graph& graph, int batch);

  /// The inputs of all runs from now on, one after the other, each of its shape. Precondition: at most one
  /// call for each name.
  void set_images(const std::string& name, const Floats& images, const Shapes& shapes);

  /// Queues a run of an ONNX file. keep_optimized: see optimized().
  void ask(const std::string& name, const std::string& bytes, bool keep_optimized = false);
  void run_all();

  /// What a run gave: its outputs, one after the other.
  Floats answer(const std::string& name) const;

  /// The ONNX file of what ran, with all that ONNX Runtime made of the nodes.
  std::string optimized(const std::string& name) const;

 private:
  const testing::TestFolder folder_;
  std::string images_;
  Shapes shapes_;
  nlohmann::json jobs_ = nlohmann::json::array();
};

}  // namespace concertina
