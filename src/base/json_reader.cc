#include <limits>
#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/reader.h"

namespace concertina {
namespace {

/// What nlohmann's parser finds, in the order of the text. Its own tree would not do: taking one down asks
/// for memory, and where there is none the process ends, which a library may not.
class Events {
 public:
  explicit Events(Document& document) : document_(document) {}

  bool null() { return add(Document::Null{}); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(std::int64_t value) { return add(value); }
  bool number_unsigned(std::uint64_t value) {
    const auto whole = static_cast<std::int64_t>(value);
    return whole < 0 ? add(static_cast<double>(value)) : add(whole);
  }
  bool number_float(double value, const std::string&) { return add(value); }
  bool string(const std::string& value) {
    document_.add_text(value);
    return true;
  }
  bool binary(const nlohmann::json::binary_t&) { return false; }
  bool start_object(std::size_t) { return open(Document::Table{}); }
  bool key(const std::string& name) {
    document_.key(name);
    return true;
  }
  bool end_object() { return close(); }
  bool start_array(std::size_t) { return open(Document::List{}); }
  bool end_array() { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) { return false; }

 private:
  template <typename Value>
  bool add(const Value& value) {
    document_.add(value);
    return true;
  }
  template <typename Value>
  bool open(const Value& value) {
    document_.open(value);
    return true;
  }
  bool close() {
    document_.close();
    return true;
  }

  Document& document_;
};

}  // namespace

Reader Reader::of_json(std::string_view text) {
  auto document = std::make_shared<Document>();
  Events events(*document);
  const bool fits = text.size() < std::numeric_limits<std::uint32_t>::max();
  if (!fits || !nlohmann::json::sax_parse(text, &events)) document->refuse("it is not JSON");
  return Reader(std::move(document), 0);
}

}  // namespace concertina
