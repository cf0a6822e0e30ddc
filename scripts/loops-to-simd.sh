#!/usr/bin/env bash
# Prints how long the five versions of docs/course/13-loops-to-simd.md take on this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
march=()
if [ "$(uname -m)" = x86_64 ]; then march=(-Xcc -march=native); fi
swiftc -O ${march[@]+"${march[@]}"} -o "$work/loops" scripts/loops-to-simd/main.swift \
  Tests/ResidualExperimentsTests/Course/FiveVersions.swift
"$work/loops"
