#!/usr/bin/env bash
# Checks that every file exists that a page links to or a comment in the sources names. Needs bash, git, grep and sed.
set -euo pipefail
cd "$(dirname "$0")/.."

checked=0
missing=0

check() {  # the file that names it, the path from the root, what was written
  checked=$((checked + 1))
  if [ ! -e "$2" ]; then
    echo "$1: there is no $3" >&2
    missing=$((missing + 1))
  fi
}

while IFS= read -r page; do
  # Relative links of a page: ](path), ](path#place) or a line [name]: path
  while IFS= read -r target; do
    path="${target%%#*}"
    case "$path" in "" | http://* | https://* | mailto:*) continue ;; esac
    check "$page" "$(dirname "$page")/$path" "$target"
  done < <(grep -oE '\]\([^) ]+\)|^\[[^]]+\]: [^ ]+' "$page" | sed -E 's/^\]\(//; s/\)$//; s/^\[[^]]+\]: //')
done < <(git ls-files --cached --others --exclude-standard '*.md')

while IFS= read -r line; do
  source="${line%%:*}"
  path="${line#*:}"
  check "$source" "$path" "$path"
done < <(git ls-files --cached --others --exclude-standard '*.swift' '*.md' '*.py' | tr '\n' '\0' \
  | xargs -0 grep -oHE '\b(Sources|Tests|docs)/[A-Za-z0-9_+./-]+\.(swift|md|py|json)\b' \
  | sort -u)

if [ "$checked" -lt 50 ]; then
  echo "only $checked links were found: the patterns of this script no longer fit" >&2
  exit 1
fi
echo "$checked links, $missing missing"
[ "$missing" -eq 0 ]
