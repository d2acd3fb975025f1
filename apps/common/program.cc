#include "common/program.h"

#include <fmt/format.h>

#include <cstdio>
#include <exception>

namespace concertina::apps {
namespace {

constexpr int kBadInput = 2;

int fail(const std::string& program, std::string_view what) {
  fmt::print(stderr, "{}: {}\n", program, what);
  return kBadInput;
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
  CLI::App program(summary, name);
  program.require_subcommand(1);
  program.set_version_flag("--version", CONCERTINA_VERSION);
  Action chosen;
  for (const AddVerb add : verbs) add(program, chosen);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return program.exit(e);  // --help and --version
    return fail(name, fmt::format("{}; see {} --help", e.what(), name));
  }
  // LibTorch and the standard library report lack of memory, for example, by throwing.
  try {
    if (const Status status = chosen(); !status) return fail(name, status.error().message);
  } catch (const std::exception& e) {
    return fail(name, e.what());
  }
  return std::fflush(stdout) == 0 ? 0 : fail(name, "cannot write the output; free some space and run again");
}

}  // namespace concertina::apps
