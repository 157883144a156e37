#!/usr/bin/env bash
# run.sh BUILD_DIR [SECONDS]: runs every fuzz target for so many seconds, from the golden vectors on.
# What was found interesting stays in BUILD_DIR/fuzz/<target>/corpus; an input that fails is left beside it and shown.
set -euo pipefail

build=$(cd "${1:?usage: run.sh BUILD_DIR [SECONDS]}" && pwd)
seconds=${2:-60}
seeds=$build/fuzz/seeds

"$build/bin/fuzz_seeds" "$seeds"
for program in "$build"/bin/fuzz_*; do
  target=${program##*/fuzz_}
  [ "$target" != seeds ] || continue
  folder=$build/fuzz/$target
  mkdir -p "$folder/corpus"
  echo "fuzzing $target for $seconds s"
  if ! "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 \
      -artifact_prefix="$folder/" "$folder/corpus" "$seeds/$target" > "$folder/log" 2>&1; then
    tail -n 60 "$folder/log"
    echo "fuzzing $target failed: the input is in $folder; run it again with: $program FILE" >&2
    exit 1
  fi
  grep -E 'number_of_executed_units|new_units_added|peak_rss_mb' "$folder/log" | sed 's/^/  /'
done
