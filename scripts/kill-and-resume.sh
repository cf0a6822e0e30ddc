#!/bin/sh
# Kills small runs at random moments (SIGKILL, SIGTERM, SIGINT) and gives the same command line again, until N kills are
# done, and compares what the finished runs leave with what one leaves that was never killed: checkpoints and figures are
# equal byte for byte, and logs in everything except speed and time.
#
#   scripts/kill-and-resume.sh [N] [train|compare]         N kills, 20 unless given, of resnet train unless given
#   RESNET=path scripts/kill-and-resume.sh 200
#
# Needs a release build: swift build -c release. Threads alternate between 1 and 2.
set -u
kills=${1:-20}
command=${2:-train}
resnet=${RESNET:-.build/release/resnet}
[ -x "$resnet" ] || { echo "kill-and-resume: $resnet is missing: swift build -c release" >&2; exit 2; }
case $command in
  train) options="--network resnet8 --limit 240 --batch 4 --iterations 120 --log-gradients --resume" ;;
  compare) options="--networks plain8,resnet8,resnet8:B --seeds 2 --limit 120 --batch 8 --iterations 30 --log-gradients" ;;
  *) echo "kill-and-resume: train or compare, not $command" >&2; exit 2 ;;
esac
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() { echo "kill-and-resume: $*" >&2; cat "$folder/log" >&2; exit 1; }
random() { awk -v seed="$(od -An -N4 -tu4 /dev/urandom)" -v n="$1" 'BEGIN { srand(seed); print int(rand() * n) }'; }
# A checksum of all that a run leaves, without what holds times: the report, and the last two columns of the logs.
sum() {
  (cd "$1" && find . -type f ! -name .lock ! -name report.html | LC_ALL=C sort | while read -r file; do
    echo "$file"
    case $file in */log.csv) cut -d, -f1-7 "$file" ;; *) cat "$file" ;; esac
  done) | cksum
}

start=$(date +%s)
"$resnet" "$command" $options --output "$folder/whole" --threads 2 > "$folder/log" 2>&1 ||
  fail "the run that is not killed ends with status $?"
expected=$(sum "$folder/whole")
milliseconds=$(( ($(date +%s) - start) * 1000 ))
[ "$milliseconds" -gt 0 ] || milliseconds=1000
echo "never killed: checksum $expected"

done=0 runs=0
while [ "$done" -lt "$kills" ]; do
  rm -rf "$folder/killed"
  while :; do
    "$resnet" "$command" $options --output "$folder/killed" --threads $((1 + done % 2)) > "$folder/log" 2>&1 &
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
  done
  runs=$((runs + 1))
  found=$(sum "$folder/killed")
  [ "$found" = "$expected" ] || fail "after $done kills the checksum is $found"
  echo "$done kills: checksum $found"
done
echo "$done kills, $runs runs finished: all equal"
