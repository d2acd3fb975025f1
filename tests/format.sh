#!/bin/sh
# Fails, showing where, if a C++ file is not as clang-format would write it.
cd "$(dirname "$0")/.." || exit 1
find include src apps bench tests fuzz -name node_modules -prune -o \( -name '*.h' -o -name '*.cc' \) -print |
  xargs clang-format-14 --dry-run -Werror
