#!/usr/bin/env bash
# Installs a build and does with it what its users do, outside the tree: compiles the headers, builds the examples
# with CMake and with pkg-config, runs them, and looks at what the library exports and how large it is.
# Arguments: the build folder, the programs write_model and declared_functions, a folder for all of this, the C++
# compiler, and a clang++ that tells what the headers declare.
set -euo pipefail
build=$1 write_model=$2 declared_functions=$3 work=$4 cxx=$5 clang=$6
source=$(cd "$(dirname "$0")/../.." && pwd)
rm -rf "$work"
mkdir -p "$work"

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# As on another machine: installed in one place, moved to another.
cmake --install "$build" --prefix "$work/staging" >/dev/null
mv "$work/staging" "$work/prefix"
prefix=$work/prefix
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name concertina.pc)")
export PKG_CONFIG_PATH
unset LD_LIBRARY_PATH  # a user has set none: every program finds the library by itself
library=$(find "$prefix" -name 'libconcertina.so')
"$prefix/bin/concertina" --version
[ "$(pkg-config --modversion concertina)" = "$("$prefix/bin/concertina" --version)" ] || fail "versions differ"

warnings=(-Wall -Wextra -Wpedantic -Werror -fsyntax-only)
read -ra flags <<<"$(pkg-config --cflags concertina)"
for header in "$prefix"/include/concertina/*.h; do
  echo "#include <concertina/$(basename "$header")>" >"$work/header.cc"
  "$cxx" -std=c++20 "${warnings[@]}" "${flags[@]}" "$work/header.cc"
done
echo '#include <concertina/concertina.h>' >"$work/header.cc"
"$cxx" -std=c++11 "${warnings[@]}" "${flags[@]}" "$work/header.cc"
"${CC:-cc}" -x c -std=c99 "${warnings[@]}" "${flags[@]}" "$work/header.cc"

"$write_model" "$work/model.onnx" "$work/model.cascade.json"
cp -r "$source/examples" "$work/examples"
for example in c cpp; do
  cmake -S "$work/examples/$example" -B "$work/cmake-$example" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
  cmake --build "$work/cmake-$example" >/dev/null
  make -s -C "$work/examples/$example"
done

# Every request is answered by one of the four sub-nets.
answered() {
  local wanted=$1 output
  shift
  output=$("$@") || fail "$*"
  [ "$(grep -cE '^ *[0-9]+ .* [0-3] .* %' <<<"$output")" = "$wanted" ] || fail "$*: $output"
}
printf 'P6 # two by one\n2 1\n255\n\001\002\003\377\376\375' >"$work/image.ppm"
for answer in "$work/cmake-c/answer" "$work/examples/c/answer"; do
  answered 20 "$answer" "$work/model.onnx" 1000
  answered 20 "$answer" "$work/model.onnx" 0 "$work/image.ppm"
  ! "$answer" "$work/nowhere.onnx" 1 2>"$work/error" || fail "a model that is not there was read"
  grep -q nowhere.onnx "$work/error" || fail "the error does not name the file"
done
for folder in "$work/cmake-cpp" "$work/examples/cpp"; do
  answered 60 "$folder/frame_rate" "$work/model.onnx" 1000
  answered 20 "$folder/cascade" "$work/model.onnx" "$work/model.cascade.json" 1000
done

# Every function that a header declares links, and nothing of the inside or of other libraries is exported.
for header in "$prefix"/include/concertina/*.h; do
  echo "#include <concertina/$(basename "$header")>"
done >"$work/all.cc"
"$clang" -std=c++20 -fsyntax-only "${flags[@]}" -Xclang -ast-dump=json -Xclang -ast-dump-filter=concertina "$work/all.cc" |
  "$declared_functions" | sort -u >"$work/declared"
[ "$(wc -l <"$work/declared")" -gt 90 ] || fail "the headers were not understood"
nm -D --defined-only "$library" | cut -d' ' -f3- | sed 's/@.*//' | sort -u >"$work/exported"
missing=$(comm -23 "$work/declared" "$work/exported" | c++filt)
[ -z "$missing" ] || fail "declared but not exported: $missing"
# Besides, a class exports its private functions, and a constructor is two symbols.
public='^(concertina_[a-z_]+|CONCERTINA_[0-9.]+)$'
public+='|^concertina::(Model|Session|AdaptiveSession|CascadeSession|PlanRules|Scheduler)::[a-zA-Z_~=]+(\[abi:cxx11\])?\('
public+='|^concertina::(is_nested|parse_subnet|to_string)(\[abi:cxx11\])?\('
strange=$(c++filt <"$work/exported" | grep -vE "$public" || true)
[ -z "$strange" ] || fail "exported: $strange"

strip -o "$work/stripped.so" "$library"
size=$(stat -c %s "$work/stripped.so")
echo "libconcertina.so, stripped: $size bytes"
[ "$size" -lt 3500000 ] || fail "the library has $size bytes; it is to stay below 3.5 MB"
