#include "runtime/weights_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <vector>

#include "base/file.h"
#include "concertina/precision.h"
#include "kernels/bf16_conv.h"
#include "kernels/int8_conv.h"
#include "kernels/layout.h"
#include "onnx/checksum.h"

namespace concertina::runtime {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 18;  // a part of a second-level cache
constexpr std::size_t kDigits = 16;                   // of a checksum, and of a length

std::string identity(std::size_t bytes, std::string_view sums_of_blocks) {
  return fmt::format("{}-{}", bytes, onnx::checksum(sums_of_blocks));
}

std::string_view name_of_first(const std::vector<std::string>& units) {
  return units.empty() ? std::string_view("none") : units.front();
}

std::string checksum_of_tuning(const std::filesystem::path& tuning) {
  if (tuning.empty()) return "none";
  const auto bytes = read_bytes(tuning);
  return bytes ? onnx::checksum(bytes->view()) : "unreadable";
}

/// What a file ends with: fixed lengths, so that it is read from its end.
std::string ending(std::string_view layout, std::size_t stripped_bytes, std::string_view packed,
                   std::string_view stripped, std::string_view key) {
  std::string fields = fmt::format("{} {:016x} ", layout, stripped_bytes);
  const std::string parts = onnx::checksum(packed) + onnx::checksum(stripped) + std::string(key) + fields;
  return fields + onnx::checksum(parts);
}

constexpr std::size_t kEnding = 3 * kDigits + 2;

std::optional<std::size_t> read_length(std::string_view digits) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string identity_of(std::string_view model) {
  std::string sums;
  for (std::size_t begin = 0; begin < model.size(); begin += kBlock)
    sums += onnx::checksum(model.substr(begin, kBlock));
  return identity(model.size(), sums);
}

std::optional<std::string> identity_of_file(const std::filesystem::path& model) {
  struct stat info {};
  if (::stat(model.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  const Descriptor file(::open(model.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return std::nullopt;
  std::vector<char> block(kBlock);
  std::string sums;
  for (std::size_t size = 0;;) {
    std::size_t filled = 0;
    while (filled < kBlock) {
      const ssize_t n = ::read(file.get(), block.data() + filled, kBlock - filled);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return std::nullopt;
      if (n == 0) break;
      filled += static_cast<std::size_t>(n);
    }
    size += filled;
    if (filled > 0) sums += onnx::checksum({block.data(), filled});
    if (filled < kBlock) return identity(size, sums);
  }
}

WeightsCache::WeightsCache(const std::string& identity, const ModelOptions& options)
    : key_(fmt::format("packed weights of concertina {}, {}, {}, int8 {}, bf16 {}, precision {}, "
                       "tuning {}, model {}\n",
                       CONCERTINA_VERSION, kernels::target_name(), packing_fingerprint(),
                       name_of_first(kernels::int8_units()), name_of_first(kernels::bf16_units()),
                       name_of(options.precision), checksum_of_tuning(options.tuning), identity)),
      path_(options.cache / (onnx::checksum(key_) + ".packed")) {}

std::optional<CachedWeights> WeightsCache::find() const {
  std::optional<KeptFile> file = KeptFile::open(path_);
  if (!file || file->view().size() < key_.size() + kEnding) return std::nullopt;
  const std::string_view all = file->view();
  const std::string_view end = all.substr(all.size() - kEnding);
  const std::string_view key = all.substr(all.size() - kEnding - key_.size(), key_.size());
  const std::string_view parts = all.substr(0, all.size() - kEnding - key_.size());
  const auto stripped_bytes = read_length(end.substr(kDigits + 1, kDigits));
  if (key != key_ || !stripped_bytes || *stripped_bytes > parts.size()) return std::nullopt;
  const std::string_view packed = parts.substr(0, parts.size() - *stripped_bytes);
  const std::string_view stripped = parts.substr(packed.size());
  const std::string_view layout = end.substr(0, kDigits);
  if (end != ending(layout, stripped.size(), packed, stripped, key_)) return std::nullopt;
  return CachedWeights{
      .file = *std::move(file), .packed_bytes = packed.size(), .stripped = stripped, .layout = layout};
}

void WeightsCache::keep(const PackedWeights& packed, std::string_view stripped) const {
  const std::string end = ending(packed.layout(), stripped.size(), packed.view(), stripped, key_);
  const std::string_view pieces[] = {packed.view(), stripped, key_, end};
  keep_file(path_, pieces);
}

}  // namespace concertina::runtime
