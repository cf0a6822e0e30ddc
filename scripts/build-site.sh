#!/usr/bin/env bash
# Builds site/: the package as a page that runs in a browser, from disk or from any server of files.
#
#   scripts/build-site.sh                      then open site/index.html
#   scripts/build-site.sh --documentation      with a link to documentation/, which scripts/build-docs.sh puts there
#
# The program is the package's own sources, compiled as Embedded Swift to WebAssembly with SIMD. The folder has three
# files: index.html; page.js, the page's script; and resnet.wasm.js, the program, compressed, as text in a script, because
# a page that is opened from disk may load scripts and no other file.
#
# The status is 3, with a sentence, where the toolchain lacks something. Objects go to .build/embedded, or to the folder
# that EMBEDDED_BUILD names.
set -euo pipefail
cd "$(dirname "$0")/.."

link=/^DOCUMENTATION$/d
case "${1:-}" in
  "") ;;
  --documentation) link='s|^DOCUMENTATION$|<a href="documentation/residuallearning/">Documentation</a>|' ;;
  *) echo "usage: scripts/build-site.sh [--documentation]" >&2; exit 2 ;;
esac

# shellcheck source=scripts/embedded/modules.sh
. scripts/embedded/modules.sh
toolchain wasm
for tool in gzip base64; do command -v "$tool" >/dev/null || missing "there is no $tool"; done

here=scripts/site
out="${EMBEDDED_BUILD:-.build/embedded}/wasm"  # scripts/embedded.sh has compiled half of it, if it ran
mkdir -p "$out" site
kernels_and_learning
# Of the museum the mistakes in backward passes, without the tables and the mistakes of whole training runs.
module ResidualExperiments Sources/ResidualExperiments/RandomParameters.swift \
  Sources/ResidualExperiments/Museum/{Exhibit,Museum,Museum+Layers,Museum+Blocks}.swift
# shellcheck disable=SC2046  # no path has a space
module ResidualWalk $(sources ResidualWalk '^$')
module Site "$here"/*.swift
module Runtime scripts/embedded/Runtime.swift
link_wasm "$out/resnet.wasm"

# The lines of the texts in the walk's page.
texts() {  # files
  local file
  for file in "$@"; do
    awk '/"""#$/ { inside = 0 } inside { sub(/^    /, ""); print } /#"""$/ { inside = 1 }' "Sources/ResidualWalk/$file.swift"
  done
}

{
  printf 'const resnetProgram = "'
  gzip -9nc "$out/resnet.wasm" | base64 | tr -d '\n'
  printf '";\n'
} > site/resnet.wasm.js
{
  printf '"use strict";\n'
  cat "$here"/{program,worker,training}.js
  echo "function walkPage(walk, swift) {"
  texts Page+{Numbers,Terms,Grids,Map,Stops}
  cat "$here/live.js"
  texts Page+Walk
  echo "startLive();"
  echo "}"
  cat "$here/start.js"
} > site/page.js
{
  sed '/^STYLE$/,$d' "$here/index.html"
  texts Page+Style | sed '/^<a class="skip"/,$d'
  cat "$here/style.css"
  sed '1,/^STYLE$/d; /^WALK$/,$d' "$here/index.html" | sed "$link"
  texts Page+Style | sed -n '/^<a class="skip"/,/^<main>/p' | sed '/^<main>/d'
  cat "$here/walk.html"
  texts Page+Style | sed -n '/^<main>/,/^<section id="code"/p'
  cat "$here/check.html"
  printf '</article>\n</main>\n'
  sed '1,/^WALK$/d' "$here/index.html"
} > site/index.html

size="$(cat site/{index.html,page.js,resnet.wasm.js} | wc -c | tr -d ' ')"
echo "site/: $size bytes in three files; open site/index.html"
[ "$size" -lt 1000000 ] || { echo "failed: more than 1 MB" >&2; exit 1; }
