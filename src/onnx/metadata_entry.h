#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/reader.h"
#include "onnx_subset.pb.h"

/// The metadata entries that are JSON.
namespace concertina::onnx {

/// What is wrong with an entry; `what` goes on after "the model's entry KEY".
Error malformed(std::string_view key, std::string_view what);

/// The JSON value of an entry. Fails if there is no such entry.
Result<Reader> read_json(const onnx::ModelProto& file, std::string_view key);

/// The reader's status; an error names the entry.
Status status_of(const Reader& reader, std::string_view key);

/// The texts of a list.
std::vector<std::string> read_strings(const Reader& list);

}  // namespace concertina::onnx
