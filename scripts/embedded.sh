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

missing() { echo "$*" >&2; exit 3; }

swiftc="$(command -v swiftc)" || missing "there is no swiftc"
# The toolchain itself: the command may be a link, or a program that chooses a toolchain.
resources="$("$swiftc" -print-target-info | sed -nE 's/.*"runtimeResourcePath": "(.*)".*/\1/p')"
library="$resources/embedded"
tools="$resources/../../bin"
case "$kind" in
  arm)
    target=aarch64-none-none-elf
    flags=()
    needed=(qemu-aarch64-static aarch64-linux-gnu-gcc)
    package="qemu-user-static, gcc-aarch64-linux-gnu and libc6-dev-arm64-cross"
    linker=lld
    ;;
  wasm)
    target=wasm32-unknown-none-wasm
    flags=(-Xcc -msimd128 -Xcc -mbulk-memory -Xfrontend -disable-stack-protector)
    needed=(node)
    package="nodejs"
    linker=wasm-ld
    ;;
  *)
    echo "usage: scripts/embedded.sh arm|wasm" >&2
    exit 2
    ;;
esac
[ -d "$library/$target" ] || missing "this toolchain has no Embedded Swift for $target"
[ -x "$tools/$linker" ] || missing "this toolchain has no $linker"
for tool in "${needed[@]}"; do
  command -v "$tool" >/dev/null || missing "there is no $tool: Debian's and Ubuntu's packages are $package"
done

out="${EMBEDDED_BUILD:-.build/embedded}/$kind"
mkdir -p "$out"

# Compiles a module, or the program, from these files.
module() {  # its name, files
  local name="$1"
  shift
  "$swiftc" -target "$target" -enable-experimental-feature Embedded -enable-experimental-feature Extern \
    -wmo -O -swift-version 6 -parse-as-library -package-name residuallearning -Xcc -fno-math-errno ${flags[@]+"${flags[@]}"} -I "$out" \
    -module-name "$name" -emit-module -emit-module-path "$out/$name.swiftmodule" -c "$@" -o "$out/$name.o" \
    >"$out/$name.log" 2>&1 || { grep '^[^ ].*error:' "$out/$name.log" | sort -u >&2; echo "failed: $name does not compile" >&2; exit 1; }
  objects+=("$out/$name.o")
}

# The files of a target, without those that a pattern names.
sources() { find "Sources/$1" -name '*.swift' | grep -vE "$2" | sort; }

objects=()
# Left out: what reads a clock, files or JSON, and what holds a network of any type, an existential.
# shellcheck disable=SC2046  # no path has a space
{
  module ResidualKernels "$here/Codable.swift" $(sources ResidualKernels '/Peak\.swift$')
  module ResidualFiles Sources/ResidualFiles/{Decimals,InputError,LinePlot,Picture}.swift
  module ResidualLearning "$here/Codable.swift" $(sources ResidualLearning '/Interchange/|/(CIFAR10|Checkpoint|Checkpoint\+Soundness|TrainingRun|TrainingLog|Recipe\+Fields|Views)\.swift$')
  module Golden "$here/main.swift" Tests/TestSupport/{Checksum,GoldenRun}.swift \
    Sources/ResidualExperiments/StandardChecks.swift
}

tables="$library/$target/libswiftUnicodeDataTables.a"
if [ "$kind" = arm ]; then
  # GNU's ld refuses the copy relocations of these objects; the toolchain's lld takes them.
  ln -sf "$(cd "$tools" && pwd)/lld" "$out/ld.lld"
  aarch64-linux-gnu-gcc -B"$out" -fuse-ld=lld -static -no-pie -o "$out/golden" "${objects[@]}" "$tables"
  run=(qemu-aarch64-static "$out/golden")
else
  module Runtime "$here/Runtime.swift"
  printf '%s\n' putchar arc4random_buf > "$out/imports"  # JavaScript has them
  "$tools/wasm-ld" --no-entry --export=__main_argc_argv --allow-undefined-file="$out/imports" --gc-sections --strip-all -z stack-size=1048576 --stack-first \
    -o "$out/golden.wasm" "${objects[@]}" "$tables"
  run=(node "$here/run-wasm.mjs" "$out/golden.wasm")
fi

"${run[@]}" | tee "$out/output.txt"
grep -qE '^[1-9][0-9]* compared, 0 with other bits$' "$out/output.txt"
