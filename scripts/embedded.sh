#!/usr/bin/env bash
# Builds kernels, layers, networks, trainer and gradient checks as Embedded Swift for another kind of processor, runs them
# here, and compares the golden numbers of Tests/TestSupport/GoldenRun.swift.
#
#   scripts/embedded.sh arm     arm64, in the emulator of qemu
#   scripts/embedded.sh wasm    WebAssembly, in node
#
# The status is 0 when all bits are the same, 1 when they are not or something does not compile, and 3, with a sentence,
# where this machine lacks a tool. Objects go to .build/embedded, or to the folder that EMBEDDED_BUILD names.
set -euo pipefail
cd "$(dirname "$0")/.."

kind="${1:-}"
here=scripts/embedded

# shellcheck source=scripts/embedded/modules.sh
. scripts/embedded/modules.sh

case "$kind" in
  arm)
    needed=(qemu-aarch64-static aarch64-linux-gnu-gcc)
    package="qemu-user-static, gcc-aarch64-linux-gnu and libc6-dev-arm64-cross"
    ;;
  wasm)
    needed=(node)
    package="nodejs"
    ;;
  *)
    echo "usage: scripts/embedded.sh arm|wasm" >&2
    exit 2
    ;;
esac
toolchain "$kind"
for tool in "${needed[@]}"; do
  command -v "$tool" >/dev/null || missing "there is no $tool: Debian's and Ubuntu's packages are $package"
done

out="${EMBEDDED_BUILD:-.build/embedded}/$kind"
mkdir -p "$out"
kernels_and_learning
module Golden "$here/main.swift" Tests/TestSupport/{Checksum,GoldenRun}.swift \
  Sources/ResidualExperiments/{RandomParameters,StandardChecks}.swift

if [ "$kind" = arm ]; then
  # GNU's ld refuses the copy relocations of these objects; the toolchain's lld takes them.
  ln -sf "$(cd "$tools" && pwd)/lld" "$out/ld.lld"
  aarch64-linux-gnu-gcc -B"$out" -fuse-ld=lld -static -no-pie -o "$out/golden" "${objects[@]}" "$tables"
  run=(qemu-aarch64-static "$out/golden")
else
  module Runtime "$here/Runtime.swift"
  link_wasm "$out/golden.wasm" --export=__main_argc_argv
  run=(node "$here/run-wasm.mjs" "$out/golden.wasm")
fi

"${run[@]}" | tee "$out/output.txt"
grep -qE '^[1-9][0-9]* compared, 0 with other bits$' "$out/output.txt"
