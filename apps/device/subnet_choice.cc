#include "device/subnet_choice.h"

#include <fmt/format.h>

#include <numeric>

#include "base/text.h"
#include "base/try.h"

namespace concertina::apps {

void add_subnet_option(CLI::App* verb, std::string& choice) {
  verb->add_option("--subnet", choice,
                   "all, a number from the table (0 = largest), or widths such as 16-12-32")
      ->capture_default_str();
}

Result<std::vector<int>> chosen_subnets(const Model& model, const std::string& choice) {
  const int count = static_cast<int>(model.subnets().size());
  if (choice == "all") {
    std::vector<int> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  if (const auto number = parse_number<int>(choice)) {
    if (*number >= 0 && *number < count) return std::vector<int>{*number};
    return Error{fmt::format("there is no sub-net {}; the model has 0 to {}", *number, count - 1)};
  }
  ASSIGN_OR_RETURN(const Subnet subnet, parse_subnet(choice));
  ASSIGN_OR_RETURN(const int found, model.find(subnet));
  return std::vector<int>{found};
}

}  // namespace concertina::apps
