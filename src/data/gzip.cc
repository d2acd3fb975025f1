#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "data/codecs.h"

namespace concertina::data {
namespace {

// Deflate cannot shrink by more than 1032:1, so this much room is enough whatever the limit says.
constexpr std::size_t kLargestGzipRatio = 1032;
constexpr std::size_t kChunk = std::size_t{1} << 30;  // zlib counts in 32 bits

struct Inflater {
  Inflater() { ready = inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK; }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  z_stream stream{};
  bool ready;
};

Error damaged(std::string_view name, std::string_view how) {
  return Error{fmt::format("'{}' {}; fetch it again", name, how)};
}

}  // namespace

Result<std::string> gunzip(std::string_view bytes, std::size_t limit, std::string_view name) {
  Inflater inflater;
  z_stream& z = inflater.stream;
  if (!inflater.ready)
    return Error{fmt::format("there is no memory to unpack '{}'; free some and run again", name)};
  std::string out(std::min(limit, kLargestGzipRatio * (bytes.size() + 1)), '\0');
  std::size_t read = 0;
  std::size_t written = 0;
  while (written < limit) {
    const std::size_t in = std::min(bytes.size() - read, kChunk);
    const std::size_t room = std::min(out.size() - written, kChunk);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + read));
    z.avail_in = static_cast<uInt>(in);
    z.next_out = reinterpret_cast<Bytef*>(out.data() + written);
    z.avail_out = static_cast<uInt>(room);
    const int code = inflate(&z, Z_NO_FLUSH);
    read += in - z.avail_in;
    written += room - z.avail_out;
    if (code == Z_STREAM_END) {
      if (read == bytes.size()) break;
      inflateReset(&z);  // gzip files may be joined end to end
    } else if (code == Z_BUF_ERROR || (code == Z_OK && read == bytes.size() && z.avail_out > 0)) {
      return damaged(name, "ends in the middle of its gzip data");
    } else if (code != Z_OK) {
      return damaged(name, fmt::format("is not valid gzip data ({})", z.msg ? z.msg : "no reason given"));
    }
  }
  out.resize(written);
  return out;
}

}  // namespace concertina::data
