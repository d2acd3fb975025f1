#include "data/label_map.h"

#include "base/file.h"
#include "base/try.h"
#include "data/codecs.h"

namespace concertina::data {

Result<Image> read_label_map(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string bytes, read_file(path));
  return decode_label_map(bytes, path.string());
}

LabelValues values_of(std::span<const std::uint8_t> map) {
  LabelValues values;
  for (const std::uint8_t value : map) values.set(value);
  return values;
}

bool are_black_and_white(const LabelValues& values) {
  LabelValues others = values;
  others.reset(0).reset(kUnlabelled);
  return others.none() && values.test(0) && values.test(kUnlabelled);
}

Result<std::vector<std::string>> classes_of(const LabelValues& values) {
  int count = kUnlabelled;
  while (count > 0 && !values.test(static_cast<std::size_t>(count - 1))) --count;
  if (count == 0)
    return Error{
        "no pixel of the label maps has a class; they must be numbers from 0, and 255 where it is not known"};
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

void number_black_and_white(std::span<std::uint8_t> map) {
  for (std::uint8_t& value : map) value = value == 0 ? 0 : 1;
}

}  // namespace concertina::data
