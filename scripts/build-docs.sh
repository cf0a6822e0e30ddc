#!/usr/bin/env bash
# Builds the API reference, the pages of docs and the tutorial as a site of static files, with the toolchain's DocC.
#
#     scripts/build-docs.sh [FOLDER]        # site, unless another folder is named
#     scripts/build-docs.sh --serve         # builds it and serves it on this machine, to be opened in a browser
#
# The pages are FOLDER/documentation/ and FOLDER/tutorials/. An index.html that FOLDER has already stays as it is; else one
# is written that leads to the pages. Browsers do not show them from disk: a server must send them. Three variables describe
# the site and the build:
#
#   DOCS_BASE     the path at which FOLDER will be served, such as /owner-s-repository; none: the root of a server
#   DOCS_SOURCE   where the repository's files are shown, such as https://host/owner/name/blob/main; without it, links to
#                 source files lead to the types in them
#   DOCS_BUILT    yes: the debug build is there and up to date, as behind `swift test`
#
# Any warning of DocC ends the build, as does a public symbol without a doc comment. Ends with status 3 where there is no
# DocC or no Python.
set -euo pipefail
cd "$(dirname "$0")/.."

serve=""
if [ "${1:-}" = --serve ]; then
  serve=yes
  shift
fi
site="${1:-site}"
base="${DOCS_BASE:-}"
base="/${base#/}"
base="${base%/}"
source="${DOCS_SOURCE:-}"

# A program of the toolchain: beside the compiler, on the path, or where Xcode keeps it.
tool() {
  local beside
  beside="$(dirname "$(readlink -f "$(command -v swift)")")/$1"
  if [ -x "$beside" ]; then echo "$beside"; else command -v "$1" || xcrun --find "$1" 2>/dev/null; fi
}
docc="$(tool docc)" || { echo "this toolchain has no docc"; exit 3; }
extract="$(tool swift-symbolgraph-extract)" || { echo "this toolchain has no swift-symbolgraph-extract"; exit 3; }
command -v python3 >/dev/null || { echo "there is no python3"; exit 3; }

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/graphs" "$work/archives"

# The modules of the debug build that the tests make too.
[ -n "${DOCS_BUILT:-}" ] || swift build
modules="$(swift build --show-bin-path)/Modules"
target="$(swift -print-target-info | sed -nE 's/.*"unversionedTriple" *: *"([^"]+)".*/\1/p' | head -n 1)"
sdk=()
if command -v xcrun >/dev/null; then
  sdk=(-sdk "$(xcrun --show-sdk-path)")
  target="$(swift -print-target-info | sed -nE 's/.*"triple" *: *"([^"]+)".*/\1/p' | head -n 1)"
fi

# Those that others use come first: their archives are what links into them need.
all=(ResidualKernels ResidualFiles ResidualLearning ResidualInference ResidualExperiments ResidualDetection ResidualWalk)
for module in "${all[@]}"; do
  "$extract" -module-name "$module" -I "$modules" -target "$target" ${sdk[@]+"${sdk[@]}"} \
    -minimum-access-level public -skip-synthesized-members -output-dir "$work/graphs" &
done
wait

python3 scripts/docc_catalogues.py "$work/graphs" "$work" ${source:+--source "$source"} --base "$base"

dependencies=()
for module in "${all[@]}"; do
  mkdir "$work/graphs/$module"
  mv "$work/graphs/$module.symbols.json" "$work/graphs/$module@"*.symbols.json "$work/graphs/$module/" 2>/dev/null || true
  "$docc" convert "$work/$module.docc" --additional-symbol-graph-dir "$work/graphs/$module" \
    --output-path "$work/archives/$module.doccarchive" --fallback-display-name "$module" \
    --fallback-bundle-identifier "$module" --fallback-default-module-kind Module \
    ${base:+--hosting-base-path "$base"} --enable-experimental-external-link-support \
    ${dependencies[@]+"${dependencies[@]}"} \
    ${source:+--source-service github --source-service-base-url "$source" --checkout-path "$PWD"} \
    --warnings-as-errors
  dependencies+=(--dependency "$work/archives/$module.doccarchive")
done
archives=()
for module in ResidualLearning ResidualInference ResidualExperiments ResidualDetection ResidualWalk ResidualKernels ResidualFiles; do
  archives+=("$work/archives/$module.doccarchive")
done
"$docc" merge "${archives[@]}" --synthesized-landing-page-name "Residual learning in Swift" \
  --synthesized-landing-page-topics-style list --output-path "$work/site"

mkdir -p "$site"
rm "$work/site/index.html"
cp -R "$work/site/." docs/walk.html "$site/"
if [ ! -e "$site/index.html" ]; then
  start=documentation/residuallearning/
  printf '<!doctype html><meta charset="utf-8"><title>Residual learning in Swift</title>%s%s\n' \
    "<meta http-equiv=\"refresh\" content=\"0; url=$start\">" "<a href=\"$start\">The pages</a>" >"$site/index.html"
fi
echo "$site/documentation/ has $(find "$site/documentation" "$site/tutorials" -name index.html | wc -l | tr -d ' ') pages"

if [ -n "$serve" ]; then
  [ -z "$base" ] || { echo "--serve needs a site at the root of a server: leave DOCS_BASE out"; exit 1; }
  echo "http://127.0.0.1:8080/"
  python3 -m http.server --bind 127.0.0.1 --directory "$site" 8080
fi
