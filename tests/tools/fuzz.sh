#!/usr/bin/env bash
# Fuzzes a target of tests/QemuGuestAgent.Fuzz with afl-fuzz, from the corpus that is kept, and keeps the smallest that reaches as much.
# Needs Debian's package afl++. Usage: tests/tools/fuzz.sh wire|session|agent SECONDS [WORK-FOLDER]
set -euo pipefail
target=$1 seconds=$2 work=${3:-$(mktemp -d)}
fuzz=$(cd "$(dirname "$0")/../QemuGuestAgent.Fuzz" && pwd)
corpus=$fuzz/Corpus/$target.txt

dotnet publish "$fuzz" --configuration Release --output "$work/bin" --verbosity quiet
dotnet tool install SharpFuzz.CommandLine --version 2.3.0 --tool-path "$work/tool" >/dev/null
for assembly in QemuGuestAgent.Core QemuGuestAgent.EmbeddedAgent; do
  "$work/tool/sharpfuzz" "$work/bin/$assembly.dll"
done

mkdir -p "$work/in"
number=0
while read -r line; do
  base64 --decode <<<"$line" >"$work/in/$((++number))"
done <"$corpus"

export AFL_SKIP_BIN_CHECK=1 AFL_ALLOW_TMP=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1 AFL_NO_UI=1
run=("$work/bin/QemuGuestAgent.Fuzz" "$target")
afl-fuzz -V "$seconds" -t 10000 -m none -x "$fuzz/wire.dict" -i "$work/in" -o "$work/out" -- "${run[@]}" >"$work/log"
grep -E '^(run_time|execs_done|execs_per_sec|corpus_count|edges_found|saved_crashes|saved_hangs|stability)' "$work/out/default/fuzzer_stats"

rm -rf "$work/min"
afl-cmin -e -t 10000 -m none -i "$work/out/default/queue" -o "$work/min" -- "${run[@]}" >>"$work/log"
for file in "$work/min"/*; do
  base64 --wrap=0 "$file"
  echo
done | sort >"$corpus"
echo "$corpus: $(wc -l <"$corpus") inputs. What crashed is in $work/out/default/crashes, what hung in hangs."
