#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "supervisor/signals.h"
#include "supervisor/supervisor.h"

namespace concertina::apps {

/// What a machine shows, one line for each kind of signal, and what it does not.
std::string describe(const supervisor::Signals& signals);

/// The head of the lines of sample_line().
std::string sample_head();

/// One sample as a line of text, without '\n'.
std::string sample_line(double seconds, const supervisor::Signals& signals, const supervisor::Advice& advice);

/// The same with everything that was read; null where the machine shows nothing.
nlohmann::ordered_json sample_json(double seconds, const supervisor::Signals& signals,
                                   const supervisor::Advice& advice);

}  // namespace concertina::apps
