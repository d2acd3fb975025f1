#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "concertina/result.h"
#include "graph/shape.h"

/// Options that several verbs have: the same names and the same meaning everywhere.
namespace concertina::apps {

/// Makes an option take only numbers from `low` to `high`.
template <typename T>
CLI::Option* in_range(CLI::Option* option, T low, T high) {
  return option->check(CLI::Range(low, high).description(""))->type_name(fmt::format("{}..{}", low, high));
}

/// Adds an option for a number from `low` to `high`; the help shows its default.
template <typename T>
CLI::Option* add_range_option(CLI::App* verb, const std::string& name, T& value, const std::string& help,
                              std::type_identity_t<T> low, std::type_identity_t<T> high) {
  return in_range<T>(verb->add_option(name, value, help), low, high)->capture_default_str();
}

/// Adds an option for several values, which commas separate; blanks end the list, so that an argument may
/// follow. The help shows its default.
template <typename T>
CLI::Option* add_list_option(CLI::App* verb, const std::string& name, std::vector<T>& values,
                             const std::string& help) {
  return verb->add_option(name, values, help)
      ->expected(1)
      ->allow_extra_args(false)
      ->delimiter(',')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->default_str(fmt::format("{}", fmt::join(values, ",")));
}

/// Makes an option take only these words.
CLI::Option* one_of(CLI::Option* option, std::vector<std::string> words);

/// Adds an option that takes one of a few words.
CLI::Option* add_word_option(CLI::App* verb, const std::string& name, std::string& word,
                             std::vector<std::string> words, const std::string& help);

/// The same for an enumeration, whose values have the words in their order.
template <typename Enum, std::size_t kCount>
CLI::Option* add_word_option(CLI::App* verb, const std::string& name, Enum& value,
                             const std::array<std::string_view, kCount>& words, const std::string& help) {
  const auto index = [&words](std::string_view word) {
    return static_cast<Enum>(std::find(words.begin(), words.end(), word) - words.begin());
  };
  CLI::Option* option = verb->add_option_function<std::string>(
      name, [&value, index](const std::string& word) { value = index(word); }, help);
  return one_of(option, {words.begin(), words.end()})
      ->default_str(std::string(words[static_cast<int>(value)]));
}

/// Makes 0 threads as many as the cores that this process may use.
CLI::Validator zero_is_every_core();

/// Adds --threads, from 0, which is one for each core, to `most`.
CLI::Option* add_threads_option(CLI::App* verb, int& threads, const std::string& help = "threads of one run",
                                int most = 256);

/// Adds --batch.
CLI::Option* add_batch_option(CLI::App* verb, int& batch);

/// Adds --requests.
CLI::Option* add_requests_option(CLI::App* verb, int& requests, const std::string& help);

/// Adds --seconds, from `low` on. `help` says what takes that time.
CLI::Option* add_seconds_option(CLI::App* verb, double& seconds, const std::string& help, double low);

/// Adds --seed.
CLI::Option* add_seed_option(CLI::App* verb, std::uint64_t& seed, const std::string& help);

/// Adds --set, which takes one KEY=VALUE and may be repeated. `recipe` says whose keys.
inline void add_set_option(CLI::App* verb, std::vector<std::string>& settings, const std::string& recipe) {
  verb->add_option("--set", settings,
                   fmt::format("replaces a key of {}, table.key=value; repeat it for more", recipe))
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

/// Adds --json.
inline void add_json_option(CLI::App* verb, bool& json, const std::string& help = "print JSON") {
  verb->add_flag("--json", json, help);
}

/// Adds --out for a file. `help` says what it will hold.
CLI::Option* add_out_option(CLI::App* verb, std::string& out, const std::string& help);

/// "3x224x224" or "3"; nothing for an empty text. Fails with what was expected.
Result<std::optional<Shape>> parse_shape(const std::string& text);

}  // namespace concertina::apps
