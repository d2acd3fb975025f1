#pragma once

#include <string_view>
#include <vector>

#include "onnx_subset.pb.h"

namespace concertina::onnx {

/// A tensor of a parsed file.
struct TensorView {
  const onnx::TensorProto* proto = nullptr;
  std::string_view raw_data;  ///< in place of the proto's
};

/// A parsed file whose initializers' `raw_data`, nearly all of its bytes, stay where they are.
struct OnnxFile {
  onnx::ModelProto model;
  std::vector<std::string_view> raw_data;  ///< one for each initializer; views of the parsed bytes
};

/// False if the bytes are no ModelProto. Reads what ParsePartialFromArray() reads, without its
/// copy, but counts the depth of nesting from the fields that it takes apart.
bool parse_in_place(std::string_view bytes, OnnxFile& file);

}  // namespace concertina::onnx
