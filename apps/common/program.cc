#include "common/program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace concertina::apps {
namespace {

constexpr int kNo = 1;
constexpr int kFailed = 2;

constexpr const char* kExitCodes =
    "Exit codes:\n"
    "  0    done\n"
    "  1    done, and the answer is no: a plan that cannot keep its bounds, a sub-net that computes something "
    "else\n"
    "  2    not done: wrong usage, bad input, or no room\n"
    "  128+ ended by a signal, 130 by Ctrl-C\n";

int report(const std::string& program, std::string_view what, int code) {
  fmt::print(stderr, "{}: {}\n", program, what);
  return code;
}

/// Files that are opened later must not get the numbers of the standard streams. False if stdout is closed.
bool streams_are_open() {
  for (const int stream : {STDIN_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    const int null = ::open("/dev/null", O_RDWR);
    if (null != stream && null >= 0) ::dup2(null, stream);
  }
  return ::fcntl(STDOUT_FILENO, F_GETFD) >= 0;
}

std::vector<std::string> verb_names(const CLI::App& program) {
  std::vector<std::string> names;
  for (const CLI::App* verb : program.get_subcommands({})) names.push_back(verb->get_name());
  return names;
}

std::vector<std::string> option_names(const CLI::App& verb) {
  std::vector<std::string> names;
  for (const CLI::Option* option : verb.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

/// What is wrong with the words of a command line, and how to see what would be right.
struct Misuse {
  std::string what;
  std::string verb = {};  ///< empty: the program's own help tells

  std::string text(const std::string& program) const {
    return fmt::format("{}; see {}{}{} --help", what, program, verb.empty() ? "" : " ", verb);
  }
};

/// The first option that the verb has not. CLI11 would say of a mistyped required one that it is missing.
std::optional<Misuse> find_unknown_option(const CLI::App& verb, std::span<char* const> arguments) {
  for (const std::string_view argument : arguments) {
    if (argument == "--") break;
    if (!argument.starts_with("--")) continue;
    const std::string name(argument.substr(0, argument.find('=')));
    if (verb.get_option_no_throw(name) != nullptr) continue;
    return Misuse{fmt::format("there is no option '{}'; the nearest is '{}'", shown(name),
                              nearest_name(name, option_names(verb))),
                  verb.get_name()};
  }
  return {};
}

/// A verb or an option that there is not.
std::optional<Misuse> find_unknown_name(const CLI::App& program, std::span<char* const> arguments) {
  const std::vector<std::string> verbs = verb_names(program);
  if (arguments.empty()) return Misuse{fmt::format("name a verb: {}", fmt::join(verbs, ", "))};
  const std::string_view first = arguments.front();
  if (first.starts_with('-')) return {};
  for (const CLI::App* verb : program.get_subcommands({}))
    if (verb->get_name() == first) return find_unknown_option(*verb, arguments.subspan(1));
  return Misuse{
      fmt::format("there is no verb '{}'; the nearest is '{}'", shown(first), nearest_name(first, verbs))};
}

/// What CLI11 did not accept.
Misuse describe(const CLI::App& program, const CLI::ParseError& error) {
  const std::vector<CLI::App*> given = program.get_subcommands();
  const std::string verb = given.empty() ? "" : given.front()->get_name();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr) return {error.what(), verb};
  std::vector<std::string> extra = given.empty() ? program.remaining() : given.front()->remaining();
  for (std::string& one : extra) one = fmt::format("'{}'", shown(one));
  return {fmt::format("{} {} not expected", fmt::join(extra, " "), extra.size() == 1 ? "was" : "were"), verb};
}

}  // namespace

CLI::App* add_verb(CLI::App& program, const std::string& name, const std::string& summary,
                   const std::string& examples) {
  CLI::App* verb = program.add_subcommand(name, summary);
  verb->footer("Examples:\n" + examples);
  return verb;
}

int run_program(const std::string& name, const std::string& summary, std::span<const AddVerb> verbs, int argc,
                char** argv) {
  if (!streams_are_open()) {
    return report(name, "the standard output is closed; give it a file, such as >/dev/null", kFailed);
  }
  CLI::App program(summary, name);
  program.require_subcommand(1);
  program.set_version_flag("--version", CONCERTINA_VERSION);
  program.footer(kExitCodes);
  Action chosen;
  for (const AddVerb add : verbs) add(program, chosen);
  const std::span<char* const> arguments(argv + 1, static_cast<std::size_t>(std::max(argc, 1) - 1));
  if (const auto misuse = find_unknown_name(program, arguments))
    return report(name, misuse->text(name), kFailed);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return program.exit(e);  // --help and --version
    return report(name, describe(program, e).text(name), kFailed);
  }
  // LibTorch and the standard library report lack of memory, for example, by throwing.
  try {
    const Result<Verdict> verdict = chosen();
    if (!verdict) return report(name, verdict.error().message, kFailed);
    if (std::fflush(stdout) != 0) {
      return report(
          name, fmt::format("cannot write the output: {}; free some space and run again", strerror(errno)),
          kFailed);
    }
    return verdict->no.empty() ? 0 : report(name, verdict->no, kNo);
  } catch (const std::exception& e) {
    return report(name, e.what(), kFailed);
  }
}

}  // namespace concertina::apps
