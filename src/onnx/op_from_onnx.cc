#include "onnx/op_from_onnx.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/try.h"
#include "onnx/attributes.h"

namespace concertina {
namespace {

// Sizes of constant `i`, as if no constant were empty, if it has `rank` of them in our range.
Result<std::vector<int>> constant_sizes(const OpSource& source, std::size_t i, int rank) {
  const onnx::TensorProto& tensor = *source.constants[i].proto;
  std::vector<int> sizes;
  for (const std::int64_t size : tensor.dims()) {
    if (size >= 1 && size <= kMaxSize) sizes.push_back(static_cast<int>(size));
  }
  if (tensor.dims_size() == rank && static_cast<int>(sizes.size()) == rank) return sizes;
  return Error{fmt::format("its constant '{}' does not have {} sizes between 1 and {}", tensor.name(), rank,
                           kMaxSize)};
}

Status read_window(Attributes& attributes, std::vector<int> kernel, Window& window) {
  kernel = attributes.integers("kernel_shape", kernel, 1);
  const std::vector<int> strides = attributes.integers("strides", {1, 1}, 1);
  const std::vector<int> pads = attributes.integers("pads", {0, 0, 0, 0}, 0);
  attributes.expect("dilations", {1, 1});
  attributes.expect_explicit_padding();
  if (std::int64_t{kernel[0]} * kernel[1] > kMaxSize) return Error{"its window is too large"};
  window = {kernel[0], kernel[1], strides[0], strides[1], pads[0], pads[1], pads[2], pads[3], 1, 1};
  return attributes.done();
}

Result<Op> read_conv(const OpSource& source) {
  CONCERTINA_ASSIGN(const auto sizes, constant_sizes(source, 0, 4));
  Attributes attributes(source.node);
  op::Conv conv;
  conv.groups = attributes.integer("group", 1, 1);
  const std::int64_t in_channels = std::int64_t{sizes[1]} * conv.groups;
  if (in_channels > kMaxSize) return Error{"it has too many channels"};
  conv.in_channels = static_cast<int>(in_channels);
  conv.out_channels = sizes[0];
  conv.bias = source.constants.size() == 2;
  CONCERTINA_TRY(read_window(attributes, {sizes[2], sizes[3]}, conv.window));
  return Op{conv};
}

Result<Op> read_batch_norm(const OpSource& source) {
  CONCERTINA_ASSIGN(const auto sizes, constant_sizes(source, 0, 1));
  Attributes attributes(source.node);
  op::BatchNorm norm;
  norm.channels = sizes[0];
  norm.epsilon = attributes.real("epsilon", 1e-5F);
  attributes.real("momentum", 0.9F);  // of training only
  attributes.expect("training_mode", 0, 0);
  attributes.expect("spatial", 1, 1);
  CONCERTINA_TRY(attributes.done());
  return Op{norm};
}

// True if the bound is given, by an attribute (before operator set 11) or a constant, and is `wanted`.
bool is_bound(const OpSource& source, Attributes& attributes, const char* name, std::size_t i, float wanted) {
  if (source.operator_set < 11) return attributes.real(name, NAN) == wanted;
  if (i >= source.constants.size() || source.constants[i].proto == nullptr) return false;
  const auto bound = read_tensor(source.constants[i]);
  return bound && bound->values == std::vector<float>{wanted};
}

Result<Op> read_clip(const OpSource& source) {
  Attributes attributes(source.node);
  const bool low = is_bound(source, attributes, "min", 0, 0);
  const bool high = is_bound(source, attributes, "max", 1, 6);
  CONCERTINA_TRY(attributes.done());
  if (!low || !high) return Error{"it does not clip to 0 .. 6, the only clipping that is supported"};
  return Op{op::relu6()};
}

template <typename T>
Result<Op> read_plain(const OpSource& source) {
  CONCERTINA_TRY(Attributes(source.node).done());
  return Op{T{}};
}

Result<Op> read_relu(const OpSource& source) {
  CONCERTINA_TRY(Attributes(source.node).done());
  return Op{op::relu()};
}

Result<Op> read_max_pool(const OpSource& source) {
  Attributes attributes(source.node);
  op::MaxPool pool;
  attributes.expect("ceil_mode", 0, 0);
  attributes.expect("storage_order", 0, 0);
  CONCERTINA_TRY(read_window(attributes, {1, 1}, pool.window));
  return Op{pool};
}

Result<Op> read_average_pool(const OpSource& source) {
  Attributes attributes(source.node);
  op::AveragePool pool;
  attributes.expect("ceil_mode", 0, 0);
  pool.count_padding = attributes.integer("count_include_pad", 0) != 0;
  CONCERTINA_TRY(read_window(attributes, {1, 1}, pool.window));
  return Op{pool};
}

Result<Op> read_flatten(const OpSource& source) {
  Attributes attributes(source.node);
  attributes.expect("axis", 1, 1);
  CONCERTINA_TRY(attributes.done());
  const std::int64_t pixels = std::int64_t{source.values[0].height} * source.values[0].width;
  if (pixels > kMaxSize) return Error{"its input is too large"};
  op::Flatten flatten;
  flatten.pixels = static_cast<int>(pixels);
  return Op{flatten};
}

Result<Op> read_gemm(const OpSource& source) {
  CONCERTINA_ASSIGN(const auto sizes, constant_sizes(source, 0, 2));
  Attributes attributes(source.node);
  for (const char* factor : {"alpha", "beta"}) {
    if (attributes.real(factor, 1) != 1) return Error{fmt::format("its attribute '{}' is not 1", factor)};
  }
  attributes.expect("transA", 0, 0);
  attributes.expect("transB", 0, 1);
  CONCERTINA_TRY(attributes.done());
  op::Linear linear;
  linear.out_features = sizes[0];
  linear.in_features = sizes[1];
  linear.bias = source.constants.size() == 2;
  return Op{linear};
}

Result<Op> read_concat(const OpSource& source) {
  Attributes attributes(source.node);
  attributes.expect("axis", 1, 1);
  CONCERTINA_TRY(attributes.done());
  std::int64_t channels = 0;
  for (const Shape& shape : source.values) channels += shape.channels;
  if (channels > kMaxSize) return Error{"it has too many channels"};
  return Op{op::Concat{}};
}

Result<Op> read_softmax(const OpSource& source) {
  Attributes attributes(source.node);
  const bool old = source.operator_set < 13;  // it then normalised over all axes from `axis` on
  const int axis = attributes.integer("axis", old ? 1 : -1, -1);
  CONCERTINA_TRY(attributes.done());
  const int last = source.ranks[0] - 1;
  if ((axis == -1 ? last : axis) != 1) return Error{"it does not normalise over the channels"};
  if (old && source.values[0].height * std::int64_t{source.values[0].width} != 1) {
    return Error{"before operator set 13 it normalises over whole maps, which is not supported"};
  }
  return Op{op::Softmax{}};
}

struct OpReader {
  std::string_view type;
  std::size_t least_constants, most_constants;
  Result<Op> (*read)(const OpSource&);
};

constexpr OpReader kReaders[] = {{"Conv", 1, 2, read_conv},
                                 {"BatchNormalization", 4, 4, read_batch_norm},
                                 {"Relu", 0, 0, read_relu},
                                 {"Clip", 0, 2, read_clip},
                                 {"Add", 0, 0, read_plain<op::Add>},
                                 {"MaxPool", 0, 0, read_max_pool},
                                 {"AveragePool", 0, 0, read_average_pool},
                                 {"GlobalAveragePool", 0, 0, read_plain<op::GlobalAveragePool>},
                                 {"Flatten", 0, 0, read_flatten},
                                 {"Gemm", 1, 2, read_gemm},
                                 {"Concat", 0, 0, read_concat},
                                 {"Softmax", 0, 0, read_softmax}};

Status check_counts(const OpReader& reader, const OpSource& source) {
  const std::size_t count = source.constants.size();
  if (count < reader.least_constants || count > reader.most_constants) {
    return Error{fmt::format("it has {} constant inputs, which is not what the op takes", count)};
  }
  const bool optional = reader.type == "Clip";
  if (!optional &&
      std::ranges::find(source.constants, nullptr, &TensorView::proto) != source.constants.end()) {
    return Error{"a constant input that it needs is left out"};
  }
  const bool many = reader.type == "Concat";
  const std::size_t wanted = reader.type == "Add" ? 2 : 1;
  if (many ? source.values.empty() : source.values.size() != wanted) {
    return Error{fmt::format("it reads {} values, which is not what the op takes", source.values.size())};
  }
  return {};
}

}  // namespace

Result<Op> read_op(const OpSource& source) {
  const auto* reader = std::find_if(std::begin(kReaders), std::end(kReaders),
                                    [&](const OpReader& r) { return r.type == source.node.op_type(); });
  const bool standard = source.node.domain().empty() || source.node.domain() == "ai.onnx";
  if (!standard || reader == std::end(kReaders)) {
    std::vector<std::string_view> known;
    for (const OpReader& r : kReaders) known.push_back(r.type);
    return Error{fmt::format("the op is not supported; those that are: {}", fmt::join(known, ", "))};
  }
  CONCERTINA_TRY(check_counts(*reader, source));
  return reader->read(source);
}

}  // namespace concertina
