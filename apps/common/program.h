#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "concertina/result.h"

namespace concertina::apps {

/// What the command line asked for; set by the verb that was given.
using Action = std::function<Status()>;

/// A verb: adds itself, its options and its help to the program, and stores its action when it is chosen.
using AddVerb = void (*)(CLI::App& program, Action& chosen);

/// Adds a verb's subcommand. `examples` ends its help, one command a line.
CLI::App* add_verb(CLI::App& program, const std::string& name, const std::string& summary,
                   const std::string& examples);

/// The same with its options, which `define(verb, options)` adds. If the verb is chosen, its action is
/// run(options).
template <typename Options, typename Run>
void add_verb(CLI::App& program, Action& chosen, const std::string& name, const std::string& summary,
              const std::string& examples, void (*define)(CLI::App*, Options&), Run run) {
  CLI::App* verb = add_verb(program, name, summary, examples);
  const auto options = std::make_shared<Options>();
  define(verb, *options);
  verb->callback([&chosen, options, run] { chosen = [options, run] { return run(*options); }; });
}

/// Parses the command line and performs the chosen verb. Returns the exit code: 0, or 2 after one sentence on
/// stderr that says what was wrong with the input.
int run_program(const std::string& name, const std::string& summary, std::span<const AddVerb> verbs, int argc,
                char** argv);

}  // namespace concertina::apps
