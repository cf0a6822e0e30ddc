#!/bin/sh
# Kills a small training run at random moments (SIGKILL, SIGTERM, SIGINT) and resumes it, until N kills are done, and
# compares the checkpoints of the finished runs with that of a run that was never killed: they are equal byte for byte.
#
#   scripts/kill-and-resume.sh [N]         N kills, 20 unless given
#   RESNET=path scripts/kill-and-resume.sh 200
#
# Needs a release build: swift build -c release. Threads alternate between 1 and 2.
set -u
kills=${1:-20}
resnet=${RESNET:-.build/release/resnet}
[ -x "$resnet" ] || { echo "kill-and-resume: $resnet is missing: swift build -c release" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
options="--network resnet8 --limit 240 --batch 4 --iterations 120"

fail() { echo "kill-and-resume: $*" >&2; cat "$folder/log" >&2; exit 1; }
random() { awk -v seed="$(od -An -N4 -tu4 /dev/urandom)" -v n="$1" 'BEGIN { srand(seed); print int(rand() * n) }'; }

start=$(date +%s)
"$resnet" train $options --output "$folder/whole" --threads 2 > "$folder/log" 2>&1 ||
  fail "the run that is not killed ends with status $?"
expected=$(cksum < "$folder/whole/checkpoint.safetensors")
milliseconds=$(( ($(date +%s) - start) * 1000 ))
[ "$milliseconds" -gt 0 ] || milliseconds=1000
echo "never killed: checksum $expected"

done=0 runs=0 saved=0
while [ "$done" -lt "$kills" ]; do
  rm -rf "$folder/killed"
  resume=""
  while :; do
    "$resnet" train $options --output "$folder/killed" --threads $((1 + done % 2)) $resume > "$folder/log" 2>&1 &
    process=$!
    if [ "$done" -lt "$kills" ]; then
      sleep "$(awk -v m="$(random "$milliseconds")" 'BEGIN { print m / 1000 }')"
      case $(random 3) in 0) signal=KILL ;; 1) signal=TERM ;; *) signal=INT ;; esac
      kill -s $signal $process 2> /dev/null
    fi
    wait $process 2> /dev/null
    status=$?
    case $status in
      0) break ;;
      130 | 137 | 143) done=$((done + 1)) ;;
      *) fail "status $status" ;;
    esac
    resume=""
    if [ -e "$folder/killed/checkpoint.safetensors" ]; then resume=--resume saved=$((saved + 1)); fi
  done
  runs=$((runs + 1))
  found=$(cksum < "$folder/killed/checkpoint.safetensors")
  [ "$found" = "$expected" ] || fail "after $done kills the checksum is $found"
  echo "$done kills: checksum $found"
done
left=$(ls -A "$folder/killed" | grep -c partial)
[ "$left" -eq 0 ] || fail "$left unfinished files are left"
echo "$done kills, $saved resumed, $runs runs finished: all equal"
