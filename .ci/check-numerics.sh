#!/usr/bin/env bash
# Fails where a function of the C library is used whose bits IEEE 754 does not fix: exp, log, pow, sin and their like, and
# fma, which is slow where the processor has no such instruction. With them results differ between machines;
# Sources/ResidualKernels/ElementaryFunctions.swift has what is needed instead.
#
#   .ci/check-numerics.sh                          looks through Sources
#   .ci/check-numerics.sh .build/release/resnet    and at the functions that this program calls
set -euo pipefail
cd "$(dirname "$0")/.."

names='exp|exp2|exp10|expm1|log|log2|log10|log1p|pow|sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|asinh|acosh|atanh'
names="$names|sincos|cbrt|hypot|erf|erfc|tgamma|lgamma|fma"
found=0

while IFS= read -r file; do
  # A call, or the function itself as an argument; with or without a module's name, but not a method or a part of a name.
  pattern="(^|[^A-Za-z0-9_.])((Foundation|Glibc|Darwin|Musl)\.)?($names)[fl]?[[:space:]]*\(|\(($names)[fl]?\)"
  # Words between quotation marks call nothing, unless something is interpolated.
  if sed -E 's/"[^"\\]*"/""/g; s://.*::' "$file" | grep -nE "$pattern" | sed "s:^:$file\::"; then found=1; fi
done < <(git ls-files 'Sources/*.swift')

for program in "$@"; do
  # nm prints "U exp@GLIBC_2.29" on Linux, "_exp" on macOS.
  if nm -u "$program" | sed -E 's/^ *U? *_?//; s/@.*//' | grep -xE "($names)[fl]?" | sed "s:^:$program calls :"; then
    found=1
  fi
done

if [ "$found" != 0 ]; then
  echo "failed: the functions above have other bits on other machines" >&2
  exit 1
fi
