#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "onnx/graph_assembly.h"
#include "onnx/norms_in_parts.h"

namespace concertina::onnx {

/// A node that becomes several of ours, or one that depends on the layout of what it reads.
struct DesugarSource {
  GraphAssembly& assembly;
  const onnx::NodeProto& node;
  const std::vector<OnnxValue>& values;
  const std::vector<Constant>& constants;
  bool constant_first;  ///< of an operation on a constant and a value
  std::int64_t operator_set;
  std::int64_t batch;  ///< as an input declares it; 0: open

  const std::string& name() const { return name_of(node); }
  const std::string& output() const { return node.output(0); }
};

/// Fails if a value is not laid out as a graph's values are.
Status settled(const DesugarSource& source);

/// A number for each channel, or one for all, whatever the value's layout.
Result<Array> per_channel(const OnnxValue& value, const Constant& constant);

/// A number for each channel.
Array same_for_all_channels(int channels, float number);

/// The op on values, of a node that no node of the file knows: its name is this one's with `what` behind it.
/// The layout is the first one's.
Result<OnnxValue> add_hidden(const DesugarSource& source, const char* what, OpWithArrays op,
                             const std::vector<OnnxValue>& values);

/// ReduceMean, ReduceMax, ReduceSum, ReduceSumSquare and ReduceL2: over all rows, all columns, all channels,
/// or several of them.
Status read_reduction(const DesugarSource& source);

/// Slice and Split of channels, rows and columns; Concat of rows and columns, or false if it is not that.
Status read_slice(const DesugarSource& source);
Status read_split(const DesugarSource& source);
Result<bool> read_pixel_concat(const DesugarSource& source);

/// Conv along the channels of one pixel: a linear layer. False if it is another Conv.
Result<bool> read_line_conv(const DesugarSource& source);

/// InstanceNormalization, GroupNormalization, LayerNormalization: one op::GroupNorm.
Status read_instance_norm(const DesugarSource& source);
Status read_group_norm(const DesugarSource& source);
Status read_layer_norm(const DesugarSource& source);

/// The same in parts. Changes nothing if it fails.
Status read_norm_in_parts(GraphAssembly& assembly, const onnx::NodeProto& last, const NormInParts& norm);

}  // namespace concertina::onnx
