#include "common/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/machine.h"
#include "base/text.h"

namespace concertina::apps {
namespace {

/// "a", "a or b", "a, b or c".
std::string either(const std::vector<std::string>& words) {
  std::string text = words.front();
  for (std::size_t i = 1; i < words.size(); ++i) text += (i + 1 == words.size() ? " or " : ", ") + words[i];
  return text;
}

}  // namespace

CLI::Option* one_of(CLI::Option* option, std::vector<std::string> words) {
  const std::string all = fmt::format("{}", fmt::join(words, "|"));
  const CLI::Validator check(
      [words = std::move(words)](const std::string& given) {
        const bool known = std::find(words.begin(), words.end(), given) != words.end();
        return known ? std::string() : fmt::format("'{}' is not {}", shown(given), either(words));
      },
      "");
  return option->check(check)->type_name(all);
}

CLI::Option* add_word_option(CLI::App* verb, const std::string& name, std::string& word,
                             std::vector<std::string> words, const std::string& help) {
  return one_of(verb->add_option(name, word, help), std::move(words))->capture_default_str();
}

CLI::Validator zero_is_every_core() {
  return {[](std::string& threads) {
            if (threads == "0") threads = std::to_string(usable_cores());
            return std::string();
          },
          ""};
}

CLI::Option* add_threads_option(CLI::App* verb, int& threads, const std::string& help, int most) {
  return add_range_option(verb, "-x,--threads", threads, help + "; 0: one for each core", 0, most)
      ->transform(zero_is_every_core());
}

CLI::Option* add_batch_option(CLI::App* verb, int& batch) {
  return add_range_option(verb, "-b,--batch", batch, "images of one run", 1, 4096);
}

CLI::Option* add_requests_option(CLI::App* verb, int& requests, const std::string& help) {
  return add_range_option(verb, "-n,--requests", requests, help, 1, 10'000'000);
}

CLI::Option* add_seconds_option(CLI::App* verb, double& seconds, const std::string& help, double low) {
  return in_range(verb->add_option("-t,--seconds", seconds, help), low, 86'400.0);
}

CLI::Option* add_seed_option(CLI::App* verb, std::uint64_t& seed, const std::string& help) {
  return verb->add_option("--seed", seed, help)->capture_default_str();
}

CLI::Option* add_out_option(CLI::App* verb, std::string& out, const std::string& help) {
  return verb->add_option("--out", out, help)->type_name("FILE");
}

Result<std::optional<Shape>> parse_shape(const std::string& text) {
  if (text.empty()) return std::optional<Shape>();
  std::vector<int> sizes;
  bool right = true;
  for (std::string_view rest = text; right && !rest.empty();) {
    const std::size_t end = std::min(rest.find('x'), rest.size());
    sizes.push_back(parse_number<int>(rest.substr(0, end)).value_or(0));
    right = sizes.back() >= 1 && end + 1 != rest.size();
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (!right || (sizes.size() != 1 && sizes.size() != 3)) {
    return Error{fmt::format("--input is '{}', which is no shape such as 3x224x224", text)};
  }
  if (sizes.size() == 1) return std::optional(Shape{sizes[0], 1, 1});
  return std::optional(Shape{sizes[0], sizes[1], sizes[2]});
}

}  // namespace concertina::apps
