#!/usr/bin/env bash
# Runs every command line of the documents: the lines of ```sh blocks, and those that scripts/demo ends with. They run
# one by one in a folder that looks like a checkout in which everything is built, and has the files that the documents
# speak of. Blocks of another language are not run.
# Arguments: the folder of the programs, the program write_folder, a folder for all of this, and, to look at some
# documents only, their names.
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
programs=$(cd "$1" && pwd) write_folder=$2 work=$3
shift 3
documents=("$@")
[ $# -gt 0 ] || mapfile -t documents < <(cd "$source" && ls README.md CONTRIBUTING.md docs/*.md scripts/demo)

# What is not run here: it sets the machine up or builds, which other tests do, or takes what is installed elsewhere.
# What is a file of the checkout must be there.
is_left_out() {
  case $1 in
    scripts/* | bench/peer* | build/dev/*) return 0 ;;
    cmake* | ninja* | npm* | sudo* | apt-get* | git* | clang-format* | concertina_*_test*) return 0 ;;
    export\ PKG_CONFIG_PATH=* | g++* | cc* | make* | ./*) return 0 ;;
  esac
  return 1
}

# commands FILE: NUMBER:COMMAND for each, with continued lines joined.
commands() {
  awk '
    FILENAME ~ /demo$/ { if (/^  build\/demo\/apps\//) print FNR ":" $0; next }
    /^ *```/ { shell = !inside && /^ *```sh *$/; inside = !inside; next }
    shell && !/^ *(#|$)/ {
      if (!joined) start = FNR
      joined = joined $0
      if (sub(/\\$/, "", joined)) next
      print start ":" joined
      joined = ""
    }' "$1"
}

rm -rf "$work"
mkdir -p "$work"
work=$(cd "$work" && pwd)
folder=$work/checkout
mkdir -p "$folder"/build/{demo,release,dev}/apps "$folder/runs/demo"
for entry in "$source"/*; do
  case $(basename "$entry") in build* | runs | recipes) ;; *) ln -s "$entry" "$folder" ;; esac
done
cp -r "$source/recipes" "$folder"
for build in demo release dev; do
  for program in concertina concertina-train; do
    cp "$source/tests/documents/quick" "$folder/build/$build/apps/$program"
  done
done
export CONCERTINA_PROGRAMS=$programs CONCERTINA_PHOTOS=$folder/photos PATH=$folder/build/demo/apps:$PATH

cd "$folder"
must() {
  "$@" >"$work/output" 2>&1 || {
    echo "FAILED: $*"
    cat "$work/output"
    exit 1
  }
}
must "$write_folder" .
mv demo.onnx runs/demo/model.onnx
# The small model is right on fewer images than the file demands.
sed 's/at_least = 0\.[0-9]*/at_least = 0.1/' "$source/examples/slo/camera.toml" >slo.toml
seq 0 0.05 20 >my-trace.txt
must concertina-train import net.onnx --out mine.onnx
printf '[network]\nfile = "mine.onnx"\n[data]\npath = "photos"\ncrop = "resized"\n' >mine.toml
must concertina-train run mine.toml --out runs/mine
for name in model a b; do cp runs/mine/model.onnx "$name.onnx"; done
must concertina profile model.onnx --out table.json
must concertina-train quantize model.onnx --data photos --out int8.onnx
must concertina tune int8.onnx --precision auto

ran=0 failed=0
for document in "${documents[@]}"; do
  while IFS=: read -r line command; do
    command=${command#"${command%%[! ]*}"}
    if is_left_out "$command"; then
      file=${command%%[ &]*}
      case $file in
        build/* | ./*) ;;
        */*) [ -e "$source/$file" ] || {
          echo "$document:$line: $file is not there: $command"
          failed=$((failed + 1))
        } ;;
      esac
      continue
    fi
    ran=$((ran + 1))
    started=$SECONDS
    code=0
    timeout 300 bash -c "$command" </dev/null >"$work/output" 2>&1 || code=$?
    [ $((SECONDS - started)) -lt 30 ] || echo "$document:$line: slow, $((SECONDS - started)) s: $command"
    if [ $code -ne 0 ]; then
      echo "$document:$line: exit code $code: $command"
      tail -n 20 "$work/output" | sed 's/^/    /'
      failed=$((failed + 1))
    fi
  done < <(commands "$source/$document")
done
echo "$ran commands ran, $failed failed."
[ "$failed" -eq 0 ] && [ "$ran" -gt 0 ]
