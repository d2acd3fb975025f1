#pragma once

#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "onnx/network_file.h"
#include "testing/temporary_folder.h"

namespace concertina::onnx {

/// Imports files that tests build.
class Import : public ::testing::Test {
 protected:
  Result<ImportedNetwork> import(const std::string& bytes, const ImportOptions& options = {}) {
    const testing::TestFolder folder;
    return import_network(folder.write("net.onnx", bytes), options);
  }

  Graph graph(const std::string& bytes) {
    auto imported = import(bytes);
    EXPECT_TRUE(imported) << imported.error().message;
    return imported ? imported->network.graph : *Graph::make({{"x", input_, {}}, {"y", op::relu(), {0}}});
  }

  template <typename T>
  static int count(const Graph& graph) {
    int count = 0;
    for (const Node& node : graph.nodes()) count += std::holds_alternative<T>(node.op) ? 1 : 0;
    return count;
  }

  op::Input input_ = [] {
    op::Input input;
    input.shape = {1, 1, 1};
    return input;
  }();
};

}  // namespace concertina::onnx
