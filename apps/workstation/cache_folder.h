#pragma once

#include <filesystem>

namespace concertina::apps {

/// Where the XDG base directories keep what a program can make again: "$XDG_CACHE_HOME/concertina" or
/// "~/.cache/concertina". Empty where the environment names no home.
std::filesystem::path cache_folder();

}  // namespace concertina::apps
