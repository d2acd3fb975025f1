#include "data/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/file.h"
#include "base/try.h"
#include "data/split.h"

namespace concertina::data {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::int64_t kMostValues = std::int64_t{1} << 34;

/// The values of a header: {'descr': '<f4', 'fortran_order': False, 'shape': (10, 3), }
struct NpyHeader {
  std::string type;
  bool fortran = false;
  std::vector<std::int64_t> shape;
  std::size_t bytes = 0;  ///< where the values begin
};

/// What stands behind a key, without the spaces before it; nothing if the key is not there.
std::string_view behind(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + key.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

bool read_shape(std::string_view text, std::vector<std::int64_t>& shape) {
  const std::size_t end = text.find(')');
  if (text.empty() || text[0] != '(' || end == std::string_view::npos) return false;
  std::int64_t size = -1;
  for (const char c : text.substr(1, end)) {
    if (c >= '0' && c <= '9') {
      size = std::max<std::int64_t>(size, 0) * 10 + (c - '0');
      if (size > kMostValues) return false;
    } else if (c == ',' || c == ')') {
      if (size >= 0) shape.push_back(size);
      size = -1;
    } else if (c != ' ') {
      return false;
    }
  }
  return true;
}

Result<NpyHeader> parse_npy_header(std::string_view bytes) {
  const auto damaged = [] {
    return Error{"it is no array of NumPy, or damaged; write it with numpy.save()"};
  };
  constexpr std::size_t kPrefix = 8;
  if (bytes.size() < kPrefix + 4 || !bytes.starts_with(kMagic)) return damaged();
  const bool wide = bytes[6] >= 2;
  std::size_t length = 0;
  for (std::size_t i = 0; i < (wide ? 4U : 2U); ++i)
    length |= static_cast<std::size_t>(static_cast<std::uint8_t>(bytes[kPrefix + i])) << (8 * i);
  const std::size_t begin = kPrefix + (wide ? 4 : 2);
  if (length > bytes.size() - begin) return damaged();
  const std::string_view text = bytes.substr(begin, length);
  NpyHeader header{.type = {}, .fortran = false, .shape = {}, .bytes = begin + length};
  const std::string_view type = behind(text, "'descr':");
  const std::size_t quote = type.empty() ? std::string_view::npos : type.find('\'', 1);
  if (quote == std::string_view::npos || type[0] != '\'') return damaged();
  header.type = type.substr(1, quote - 1);
  header.fortran = behind(text, "'fortran_order':").starts_with("True");
  if (!read_shape(behind(text, "'shape':"), header.shape)) return damaged();
  return header;
}

template <typename Number>
void convert(std::string_view bytes, std::vector<float>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    Number number;
    std::memcpy(&number, bytes.data() + i * sizeof number, sizeof number);
    values[i] = static_cast<float>(number);
  }
}

struct NumberType {
  std::string_view name;
  std::size_t bytes;
  void (*convert)(std::string_view, std::vector<float>&);
};
constexpr NumberType kTypes[] = {
    {"<f4", 4, convert<float>},        {"<f8", 8, convert<double>},        {"|u1", 1, convert<std::uint8_t>},
    {"|i1", 1, convert<std::int8_t>},  {"|b1", 1, convert<std::uint8_t>},  {"<u2", 2, convert<std::uint16_t>},
    {"<i2", 2, convert<std::int16_t>}, {"<u4", 4, convert<std::uint32_t>}, {"<i4", 4, convert<std::int32_t>},
    {"<i8", 8, convert<std::int64_t>},
};

/// [n][c] or [n][c][h][w] of finite values.
Status check_input(const NpyArray& array, const fs::path& file) {
  const std::size_t rank = array.shape.size();
  if (!array.shape.empty() && array.shape[0] == 0)
    return Error{fmt::format("'{}' holds no samples; put some there, or take the file away", file.string())};
  if ((rank != 2 && rank != 4) || array.values.empty()) {
    return Error{fmt::format(
        "'{}' has {} dimensions; inputs are samples x channels x height x width, or samples x channels",
        file.string(), rank)};
  }
  const auto bad =
      std::find_if(array.values.begin(), array.values.end(), [](float v) { return !std::isfinite(v); });
  if (bad == array.values.end()) return {};
  const std::int64_t sample =
      (bad - array.values.begin()) / (static_cast<std::int64_t>(array.values.size()) / array.shape[0]);
  return Error{fmt::format("'{}' holds {} in its sample {}; replace it or leave the sample out",
                           file.string(), *bad, sample)};
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code code;
  for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    if (it->path().extension() == ".npy") files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// Keeps these samples, which are in order.
void keep(NpyArray& array, const std::vector<std::int64_t>& samples) {
  const auto size = static_cast<std::int64_t>(array.values.size()) / array.shape[0];
  auto to = array.values.begin();
  for (const std::int64_t sample : samples) to = std::copy_n(array.values.begin() + sample * size, size, to);
  array.values.erase(to, array.values.end());
  array.shape[0] = static_cast<std::int64_t>(samples.size());
}

}  // namespace

Result<NpyArray> parse_npy(std::string_view bytes) {
  ASSIGN_OR_RETURN(NpyHeader header, parse_npy_header(bytes));
  const auto type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                 [&](const NumberType& one) { return one.name == header.type; });
  if (type == std::end(kTypes) || header.fortran) {
    return Error{fmt::format("its values are {}{}; save numpy.ascontiguousarray(array, 'float32')",
                             header.type, header.fortran ? " in Fortran's order" : "")};
  }
  std::int64_t count = 1;
  for (const std::int64_t size : header.shape) {
    if (size > 0 && count > kMostValues / size)
      return Error{"it says that it has more values than fit into memory; write it again"};
    count *= size;
  }
  const std::string_view values = bytes.substr(header.bytes);
  if (values.size() != static_cast<std::size_t>(count) * type->bytes) {
    return Error{fmt::format("it holds {} bytes of values where its header says {}; write it again",
                             values.size(), static_cast<std::size_t>(count) * type->bytes)};
  }
  NpyArray array{.shape = std::move(header.shape),
                 .values = std::vector<float>(static_cast<std::size_t>(count))};
  type->convert(values, array.values);
  return array;
}

bool holds_arrays(const fs::path& root) {
  return !files_in(root).empty() || !files_in(root / "train").empty();
}

Result<std::vector<InputArray>> read_arrays(const fs::path& root, Split split) {
  const std::optional<fs::path> folder = folder_of_split(root, split);
  const std::vector<fs::path> files = files_in(folder.value_or(root));
  if (files.empty())
    return Error{
        fmt::format("'{}' holds no .npy file; put one for each input there", folder.value_or(root).string())};
  std::vector<InputArray> inputs;
  for (const fs::path& file : files) {
    ASSIGN_OR_RETURN(NpyArray array, read_as(file, parse_npy));
    RETURN_IF_ERROR(check_input(array, file));
    inputs.push_back({file.stem().string(), std::move(array)});
    if (inputs.back().array.shape[0] == inputs[0].array.shape[0]) continue;
    return Error{fmt::format("'{}' has {} samples and '{}' has {}; each sample needs a value for every input",
                             file.string(), inputs.back().array.shape[0], files[0].string(),
                             inputs[0].array.shape[0])};
  }
  if (folder) return inputs;
  const std::vector<std::int64_t> samples = part_of(inputs[0].array.shape[0], split, 0);
  if (samples.empty())
    return Error{fmt::format("'{}' holds one sample, which cannot be for training and test; add more",
                             files[0].string())};
  for (InputArray& input : inputs) keep(input.array, samples);
  return inputs;
}

}  // namespace concertina::data
