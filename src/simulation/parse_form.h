#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "base/try.h"
#include "concertina/result.h"

namespace concertina::simulation {

/// How something is called on the command line: a name and the numbers that may follow, as in "ramp:0.5:1.5".
struct Form {
  struct Number {
    std::string_view what;
    double value;  ///< if it is left out
    double low, high;
  };
  std::string_view name;
  std::vector<Number> numbers;
};

/// A Form and what it makes of its numbers, which are as many as the form has, each within its range.
template <typename T>
struct FormOf {
  Form form;
  T (*make)(std::span<const double> numbers);
};

struct ParsedForm {
  std::size_t index = 0;
  std::vector<double> numbers;
};

/// Fails with the nearest name if no form has this one, and on numbers too many, malformed or out of range.
/// `noun` is what the sentence calls a form ("contention"). Precondition: `forms` is not empty.
Result<ParsedForm> parse_form(std::string_view text, std::span<const Form> forms, std::string_view noun);

template <typename T>
Result<T> parse_as(std::string_view text, std::span<const FormOf<T>> all, std::string_view noun) {
  std::vector<Form> forms;
  for (const FormOf<T>& one : all) forms.push_back(one.form);
  ASSIGN_OR_RETURN(const ParsedForm parsed, parse_form(text, forms, noun));
  return all[parsed.index].make(parsed.numbers);
}

}  // namespace concertina::simulation
