#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "concertina/result.h"
#include "onnx/checksum.h"
#include "onnx_subset.pb.h"

/// An ONNX file as bytes: read in place, with its metadata and the seal of ours.
namespace concertina::onnx {

/// A tensor of a parsed file.
struct TensorView {
  const onnx::TensorProto* proto = nullptr;
  std::string_view raw_data;  ///< in place of the proto's
  bool left_out = false;      ///< its values are not in the file; it becomes an array without any
};

/// A parsed file whose initializers' `raw_data`, nearly all of its bytes, stay where they are. Its messages
/// lie in an arena: without one, protobuf loses the message that it adds to a list where memory runs out.
struct OnnxFile {
  std::unique_ptr<google::protobuf::Arena> arena = std::make_unique<google::protobuf::Arena>();
  onnx::ModelProto& model = *google::protobuf::Arena::CreateMessage<onnx::ModelProto>(arena.get());
  std::vector<std::string_view> raw_data;  ///< one for each initializer; views of the parsed bytes
  std::map<std::string, FileBytes>
      external;  ///< files beside it in which it keeps values, by their paths in it
};

/// False if the bytes are no ModelProto. Reads what ParsePartialFromArray() reads, without its
/// copy, but counts the depth of nesting from the fields that it takes apart.
bool parse_in_place(std::string_view bytes, OnnxFile& file);

/// The value of the metadata entry `key`, if the model has one.
std::optional<std::string_view> find_metadata(const onnx::ModelProto& model, std::string_view key);

/// Adds an entry behind the others.
void add_metadata(std::string_view key, std::string value, onnx::ModelProto& model);

/// Metadata of a dynamic model whose arrays are in another file: that file's checksum().
inline constexpr std::string_view kDataChecksum = "concertina.data_checksum";

/// The bytes of an ONNX file, which must outlive what is returned. If it is a dynamic model, its format is
/// known and its seal unbroken.
Result<OnnxFile> parse_onnx(std::string_view bytes);

/// Ends a serialised ONNX model of a format with one more metadata entry, "concertina.checksum", whose value
/// is the checksum() of all bytes before the entry; up to format 2 it was their FNV-1a, which takes 58 ms for
/// 47 MB where XXH3 takes 3.5. (Appending a field to a message is protobuf's way of adding to a list, so the
/// result is an ONNX model too.)
std::string seal(std::string model, int format);

/// True if `bytes` ends with the seal of what comes before it.
bool is_sealed(std::string_view bytes, int format);

}  // namespace concertina::onnx
