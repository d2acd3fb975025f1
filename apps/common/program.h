#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "concertina/result.h"

namespace concertina::apps {

/// What a verb that was asked a question found, such as whether a plan keeps its bounds.
struct Verdict {
  std::string no;  ///< one sentence that says why the answer is no; empty: it is yes
};

/// What the command line asked for; set by the verb that was given.
class Action {
 public:
  Action() = default;
  /// `run()` returns a Status or a Result<Verdict>.
  template <typename Run>
  Action(Run run) : run_([run]() { return to_verdict(run()); }) {}

  Result<Verdict> operator()() const { return run_(); }

 private:
  static Result<Verdict> to_verdict(Result<Verdict> verdict) { return verdict; }
  static Result<Verdict> to_verdict(const Status& status) {
    if (!status) return status.error();
    return Verdict();
  }

  std::function<Result<Verdict>()> run_;
};

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

/// Parses the command line and performs the chosen verb. Returns the exit code: 0, or, after one sentence on
/// stderr, 1 if the verb's answer is no and 2 if it could not do what it was asked to.
int run_program(const std::string& name, const std::string& summary, std::span<const AddVerb> verbs, int argc,
                char** argv);

}  // namespace concertina::apps
