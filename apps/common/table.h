#pragma once

#include <string>
#include <vector>

namespace concertina::apps {

/// Rows of text in aligned columns, right-aligned but for the first two; the first row is the head. Ends with
/// '\n'.
std::string format_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace concertina::apps
