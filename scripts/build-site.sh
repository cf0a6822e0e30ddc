#!/usr/bin/env bash
# Builds site/: the package as a page that runs in a browser, from disk or from any server of files.
#
#   scripts/build-site.sh           then open site/index.html
#
# The program is the package's own sources, compiled as Embedded Swift to WebAssembly with SIMD. The folder has three
# files: index.html; page.js, the page's script; and resnet.wasm.js, the program, compressed, as text in a script, because
# a page that is opened from disk may load scripts and no other file.
#
# The status is 3, with a sentence, where the toolchain lacks something. Objects go to .build/embedded, or to the folder
# that EMBEDDED_BUILD names.
set -euo pipefail
cd "$(dirname "$0")/.."

# shellcheck source=scripts/embedded/modules.sh
. scripts/embedded/modules.sh
toolchain wasm
for tool in gzip base64; do command -v "$tool" >/dev/null || missing "there is no $tool"; done

here=scripts/site
out="${EMBEDDED_BUILD:-.build/embedded}/site"
mkdir -p "$out" site
module Foundation scripts/embedded/Foundation.swift
kernels_and_learning \
  Sources/ResidualFiles/{Bytes,Checksum,Decimals,InputError,LinePlot,Picture,SafeTensors,SafeTensors+Checksum,SafeTensors+Writing}.swift
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
  cat "$here"/{program,worker,training,live,start}.js
} > site/page.js
awk -v style="$here/style.css" '
  function copy(file, line) { while ((getline line < file) > 0) print line }
  $0 == "STYLE" { copy("/dev/stdin"); copy(style); next }
  $0 == "WALK" { next }
  { print }' "$here/index.html" < <(awk '/static let body/ { exit } { print }' Sources/ResidualWalk/Page+Style.swift \
    | awk '/"""#$/ { inside = 0 } inside { sub(/^    /, ""); print } /#"""$/ { inside = 1 }') > site/index.html

size="$(cat site/* | wc -c)"
echo "site/: $size bytes in $(ls site | wc -l | tr -d ' ') files; open site/index.html"
[ "$size" -lt 1000000 ] || { echo "failed: more than 1 MB" >&2; exit 1; }
