#!/usr/bin/env bash
# run.sh BUILD_DIR [SECONDS] [--keep]: runs every fuzz target for so many seconds, from the corpus and the golden vectors on.
# What was found interesting stays in BUILD_DIR/fuzz/<target>/found; an input that fails is left beside it and shown.
# With --keep the corpus is made anew of all of it: the smallest inputs that reach the same code, at most 4 KiB each.
set -euo pipefail

build=$(cd "${1:?usage: run.sh BUILD_DIR [SECONDS] [--keep]}" && pwd)
seconds=${2:-60}
keep=${3:-}
corpus=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/corpus
seeds=$build/fuzz/seeds

"$build/bin/fuzz_seeds" "$seeds"
for program in "$build"/bin/fuzz_*; do
  target=${program##*/fuzz_}
  case $target in seeds | corpus_tests) continue ;; esac
  folder=$build/fuzz/$target
  mkdir -p "$folder/found" "$corpus/$target"
  echo "fuzzing $target for $seconds s"
  if ! "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 \
      -artifact_prefix="$folder/" "$folder/found" "$corpus/$target" "$seeds/$target" > "$folder/log" 2>&1; then
    tail -n 60 "$folder/log"
    echo "fuzzing $target failed: the input is in $folder; run it again with: $program FILE" >&2
    exit 1
  fi
  grep -E 'number_of_executed_units|new_units_added|peak_rss_mb' "$folder/log" | sed 's/^/  /'
  if [ "$keep" = --keep ]; then
    rm -rf "$folder/kept"
    mkdir "$folder/kept"
    "$program" -merge=1 -max_len=4096 -verbosity=0 "$folder/kept" "$corpus/$target" "$seeds/$target" "$folder/found" \
      > "$folder/merge.log" 2>&1
    rm -rf "${corpus:?}/$target"
    cp -r "$folder/kept" "$corpus/$target"
    echo "  kept $(ls "$corpus/$target" | wc -l) inputs"
  fi
done
