# modules.sh: compiles the package's sources as Embedded Swift. Sourced by embedded.sh and build-site.sh.

missing() { echo "$*" >&2; exit 3; }

# Finds the toolchain and what it needs for a kind of target, arm or wasm: swiftc, library, tools, target, flags, linker.
toolchain() {
  swiftc="$(command -v swiftc)" || missing "there is no swiftc"
  # The toolchain itself: the command may be a link, or a program that chooses a toolchain.
  local resources
  resources="$("$swiftc" -print-target-info | sed -nE 's/.*"runtimeResourcePath": "(.*)".*/\1/p')"
  library="$resources/embedded"
  tools="$resources/../../bin"
  flags=()
  case "$1" in
    arm) target=aarch64-none-none-elf linker=lld ;;
    wasm)
      target=wasm32-unknown-none-wasm linker=wasm-ld
      flags=(-Xcc -msimd128 -Xcc -mbulk-memory -Xfrontend -disable-stack-protector)
      ;;
  esac
  [ -d "$library/$target" ] || missing "this toolchain has no Embedded Swift for $target"
  [ -x "$tools/$linker" ] || missing "this toolchain has no $linker"
  tables="$library/$target/libswiftUnicodeDataTables.a"
  objects=()
}

# Compiles a module, or the program, from these files into the folder `out`, unless it is newer than all of them and than
# the modules before it.
module() {  # its name, files
  local name="$1"
  shift
  local before=(${objects[@]+"${objects[@]}"})
  objects+=("$out/$name.o")
  if [ -f "$out/$name.o" ] && [ -z "$(find "$@" ${before[@]+"${before[@]}"} scripts/embedded/modules.sh -newer "$out/$name.o")" ]; then
    return
  fi
  "$swiftc" -target "$target" -enable-experimental-feature Embedded -enable-experimental-feature Extern \
    -wmo -O -swift-version 6 -parse-as-library -package-name residuallearning -Xcc -fno-math-errno ${flags[@]+"${flags[@]}"} -I "$out" \
    -module-name "$name" -emit-module -emit-module-path "$out/$name.swiftmodule" -c "$@" -o "$out/$name.o" \
    >"$out/$name.log" 2>&1 || { grep '^[^ ].*error:' "$out/$name.log" | sort -u >&2; echo "failed: $name does not compile" >&2; rm -f "$out/$name.o"; exit 1; }
}

# The files of a target, without those that a pattern names.
sources() { find "Sources/$1" -name '*.swift' | grep -vE "$2" | sort; }

# What reads a clock, files or JSON, and what holds a network of any type, an existential, is left out.
# shellcheck disable=SC2046  # no path has a space
kernels_and_learning() {
  module Foundation scripts/embedded/Foundation.swift
  module ResidualKernels scripts/embedded/Codable.swift $(sources ResidualKernels '/Peak\.swift$')
  module ResidualFiles Sources/ResidualFiles/{Bytes,Checksum,Decimals,InputError,LinePlot,Picture}.swift \
    Sources/ResidualFiles/SafeTensors{,+Checksum,+Writing}.swift
  module ResidualLearning scripts/embedded/Codable.swift $(sources ResidualLearning '/Interchange/|/(CIFAR10|Checkpoint|Checkpoint\+Soundness|TrainingRun|TrainingLog|Recipe\+Fields|Views)\.swift$')
}

# Links the objects into a program for WebAssembly. Its imports, besides those that the sources name, are characters out
# and random bytes.
link_wasm() {  # the program, options of the linker
  local program="$1"
  shift
  printf '%s\n' putchar arc4random_buf > "$out/imports"
  "$tools/wasm-ld" --no-entry --allow-undefined-file="$out/imports" --gc-sections --strip-all -z stack-size=1048576 \
    --stack-first "$@" -o "$program" "${objects[@]}" "$tables"
}
