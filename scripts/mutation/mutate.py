#!/usr/bin/env python3
"""Puts mistakes into a copy of the sources, all in one build behind a switch, and runs the tests on each.

  scripts/mutation/mutate.py build                     copies the tree, inserts the mistakes of mistakes.txt, builds the tests
  scripts/mutation/mutate.py run [NAME ...]            runs the tests on the mistakes without a result yet, or on those named
  scripts/mutation/mutate.py handful --here --random 5 --seed S
                                                       inserts a few mistakes, builds and runs
  scripts/mutation/mutate.py table                     writes the table of docs/testing.md from results.tsv
  scripts/mutation/mutate.py check                     says which snippets are not in the sources exactly once

A mistake is caught when a test fails, the process ends, or the time runs out: an endless loop is caught too. The suites of
the mistake's area are asked first; what survives them meets all others. results.tsv has who caught what. A handful is
taken from the mistakes that were caught before; with --here they go into this checkout itself, which is then only good for
throwing away, but whose build is used again.
"""

import argparse
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

here = pathlib.Path(__file__).resolve().parent
root = here.parent.parent
results_file = here / "results.tsv"
time_limit = 240  # seconds for the suites of an area, and for all suites
of_texts = "SnippetTests|DocsTests"  # suites that compare the text of the sources, which the switch changes


class Mistake:
    """A mistake: a place in a file, what stands there and what would be wrong."""

    def __init__(self, area, suites, file, line):
        self.area, self.suites, self.file = area, suites, file
        self.name, snippet = (part.strip() for part in line.split(" | ", 1))
        # One or more marked places; all of them belong to the mistake.
        pieces = re.split(r"([⟦⟪].*? ⇒ .*?[⟧⟫])", snippet)
        self.pieces = []
        for piece in pieces:
            marked = re.fullmatch(r"([⟦⟪])(.*) ⇒ (.*)[⟧⟫]", piece)
            self.pieces.append(marked.groups() if marked else piece)
        if all(isinstance(piece, str) for piece in self.pieces):
            raise SystemExit(f"no marked place in: {line}")

    def places(self, text):
        """The ranges of the right code in a file's text, each with its kind, itself and the wrong code."""
        pattern = ""
        for piece in self.pieces:
            code = piece if isinstance(piece, str) else piece[1]
            quoted = re.sub(r"(\\ )*⏎(\\ )*", lambda _: r"\s*\n\s*", re.escape(code))
            pattern += quoted if isinstance(piece, str) else f"({quoted})"
        found = list(re.finditer(pattern, text))
        if len(found) != 1:
            raise ValueError(f"{len(found)} places for '{self.name}' in {self.file}")
        marked = [piece for piece in self.pieces if not isinstance(piece, str)]
        return [
            (found[0].start(i + 1), found[0].end(i + 1), kind, found[0].group(i + 1), wrong.replace("⏎", "\n"))
            for i, (kind, _, wrong) in enumerate(marked)
        ]


def mistakes(tree=root):
    """All mistakes of the list in a tree, in its order: number 1 is the first."""
    area = suites = file = None
    result = []
    for line in (tree / "scripts/mutation/mistakes.txt").read_text().split("\n"):
        if line.startswith("## "):
            area, suites = line[3:].split(", ", 1)
        elif line.startswith("@ "):
            file = "Sources/" + line[2:].strip()
        elif line and not line.startswith("#"):
            result.append(Mistake(area, suites, file, line))
    names = [mistake.name for mistake in result]
    for name in names:
        if names.count(name) > 1:
            raise SystemExit(f"two mistakes are called '{name}'")
    return result


def inserted(text, numbered):
    """A file's text with mistakes behind the switch. Several may share a place, or lie inside one another's code."""
    places = {}
    for number, mistake in numbered:
        for start, end, kind, right, wrong in mistake.places(text):
            places.setdefault((start, end, kind), (right, []))[1].append((number, wrong))
    order = sorted(places, key=lambda place: (-place[0], place[1]))
    for (start, end, _), (start2, end2, _) in zip(order[1:], order):
        if end > start2:
            raise SystemExit(f"mistakes overlap: {text[start:end]!r} and {text[start2:end2]!r}")
    for place in order:
        right, wrongs = places[place]
        start, end, kind = place
        if kind == "⟦":
            code = "".join(f"mutant == {number} ? ({wrong}) : " for number, wrong in wrongs) + f"({right})"
            code = f"({code})"
        elif right.startswith("{"):
            code = "{ " + "".join(f"if mutant == {n} {w} else " for n, w in wrongs) + right + " }"
        else:
            code = "".join(f"if mutant == {n} {{ {w} }} else " for n, w in wrongs) + f"{{ {right} }}"
            code += "\n" if right.endswith("\n") or right != right.rstrip() else ""
        text = text[:start] + code + text[end:]
    return text


def copied(tree):
    """Copies the files that git knows, or would take, to `tree`."""
    for folder in ["Sources", "Tests"]:
        shutil.rmtree(tree / folder, ignore_errors=True)
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(words, cwd=root, check=True, capture_output=True, text=True).stdout
    for name in filter(None, files.split("\0")):
        if (root / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, tree / name)


def build(tree, numbered):
    """Inserts mistakes into the sources in `tree` and builds the tests."""
    files, changed = {}, set()
    for number, mistake in numbered:
        files.setdefault(mistake.file, []).append((number, mistake))
    for name, numbered in files.items():
        path = tree / name
        path.write_text(inserted(path.read_text(), numbered))
        changed.add(name.split("/")[1])
    for module in changed:
        (tree / "Sources" / module / "Mutant.swift").write_text(
            'import Foundation\n\npublic let mutant = Int(ProcessInfo.processInfo.environment["MUTANT"] ?? "") ?? 0\n')
    subprocess.run(["swift", "build", "--build-tests"], cwd=tree, check=True)


def binary(tree):
    found = list((tree / ".build/debug").glob("*.xctest"))
    if not found:
        raise SystemExit(f"no tests in {tree}: run '{sys.argv[0]} build' first")
    return found[0]


def failure(tree, number, suites):
    """Runs suites on a mistake. Returns who caught it, or None."""
    words = [str(binary(tree)), "--testing-library", "swift-testing"]
    words += ["--filter", suites] if suites else ["--skip", of_texts]
    environment = dict(os.environ, MUTANT=str(number), NO_COLOR="1")
    started = time.time()
    process = subprocess.Popen(
        words, cwd=tree, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", start_new_session=True)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
    signal.alarm(time_limit)
    try:
        for line in process.stdout:
            place = re.search(r"recorded an issue.* at (\w+)\.swift:", line)
            if place:
                return place.group(1)
        status = process.wait()
        if time.time() - started >= time_limit:
            return "the time limit"
        return None if status == 0 else "a trap"
    finally:
        signal.alarm(0)
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def read_results():
    if not results_file.exists():
        return {}
    lines = [line.split("\t") for line in results_file.read_text().split("\n") if line]
    return {line[0]: line[1:] for line in lines}


def write_results(results):
    order = {mistake.name: mistake for mistake in mistakes()}
    lines = ["\t".join([name] + results[name]) for name in order if name in results]
    results_file.write_text("\n".join(lines) + "\n")


def handful(count, seed):
    """A few of the mistakes that were caught before, with their numbers."""
    results = read_results()
    caught = [(n, m) for n, m in enumerate(mistakes(), 1) if results.get(m.name, ["", "-"])[1] != "-"]
    chosen = random.Random(seed).sample(caught, min(count, len(caught)))
    print(f"{len(chosen)} of {len(caught)} mistakes, chosen with the seed {seed}:", flush=True)
    for _, mistake in chosen:
        print(f"  {mistake.area}: {mistake.name}", flush=True)
    return chosen


def run(tree, numbered, keeps_results):
    """Runs the tests on mistakes. Returns how many survive."""
    for suites in sorted({mistake.suites for _, mistake in numbered}) + [None] * keeps_results:
        who = failure(tree, 0, suites)
        if who:
            raise SystemExit(f"without a mistake {who} fails: {suites or 'all suites'}")
    survived = 0
    for number, mistake in numbered:
        start = time.time()
        who = failure(tree, number, mistake.suites) or failure(tree, number, None)
        took = time.time() - start
        print(f"{took:5.1f} s  {mistake.area}: {mistake.name}: {'caught by ' + who if who else 'SURVIVED'}", flush=True)
        survived += who is None
        if keeps_results:
            results = read_results()
            results[mistake.name] = [mistake.area, who or "-"]
            write_results(results)
    print(f"{len(numbered) - survived} of {len(numbered)} mistakes caught")
    return survived


def table():
    results, lines, total = read_results(), [], [0, 0]
    everything = mistakes()
    for area in dict.fromkeys(mistake.area for mistake in everything):
        found = [results[m.name][1] for m in everything if m.area == area and m.name in results]
        caught = [who for who in found if who != "-"]
        by = sorted(set(caught), key=lambda who: (-caught.count(who), who))
        shown = ", ".join(f"{who.removesuffix('Tests')} {caught.count(who)}" for who in by[:5])
        rest = len(caught) - sum(caught.count(who) for who in by[:5])
        lines.append(f"| {area} | {len(found)} | {len(caught)} | {shown}{f', others {rest}' if rest else ''} |")
        total = [total[0] + len(found), total[1] + len(caught)]
    lines.append(f"| all | {total[0]} | {total[1]} | |")
    page = root / "docs/testing.md"
    start, end = "<!-- mutation -->\n", "<!-- end of mutation -->"
    head, rest = page.read_text().split(start)
    body = "| area | mistakes | caught | by which suites first |\n| --- | --- | --- | --- |\n" + "\n".join(lines) + "\n"
    page.write_text(head + start + body + end + rest.split(end)[1])
    print(body)


def check():
    """Says which mistakes have no place of their own in the sources. Returns how many."""
    problems = 0
    for mistake in mistakes():
        try:
            mistake.places((root / mistake.file).read_text())
        except ValueError as error:
            problems += 1
            print(error)
    print(f"{len(mistakes())} mistakes, {problems} of them in no place of their own")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["build", "run", "handful", "table", "check"])
    parser.add_argument("names", nargs="*")
    work = pathlib.Path(tempfile.gettempdir(), "resnet-mutation")
    parser.add_argument("--work", type=pathlib.Path, default=work, metavar="DIR")
    parser.add_argument("--here", action="store_true")
    parser.add_argument("--random", type=int, default=5, metavar="N")
    parser.add_argument("--seed", default="0")
    options = parser.parse_args()
    tree = root if options.here else options.work / "tree"
    # What is run has the numbers of the list that it was built with.
    everything = list(enumerate(mistakes(tree if options.task == "run" else root), 1))
    if options.task == "check":
        sys.exit(check() > 0)
    if options.task == "table":
        return table()
    if options.task == "run":
        known = read_results()
        wanted = [(n, m) for n, m in everything if (m.name in options.names if options.names else m.name not in known)]
        sys.exit(run(tree, wanted, keeps_results=True) > 0)
    chosen = everything if options.task == "build" else handful(options.random, options.seed)
    if not options.here:
        copied(tree)
    build(tree, chosen)
    if options.task == "handful":
        sys.exit(run(tree, chosen, keeps_results=False) > 0)


main()
