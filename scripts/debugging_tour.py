#!/usr/bin/env python3
"""Drives LLDB through docs/debugging.md and compares what it prints with the page.

    swift build --build-tests && scripts/debugging_tour.py

The page is the script: every `$ lldb PROGRAM -- ARGUMENTS` begins a session, every line after `(lldb)` is a command of
it, and the lines below a command are what it must print, in this order; `…` stands for anything, and a line that is not
on the page is not missed. A session whose program has not been built is skipped with a message. Exit status: 0 all
sessions as on the page, 1 something differs, 3 LLDB does not run here.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(REPOSITORY, "Notebooks", "kernel"))
import toolchain  # noqa: E402

PROMPT = "(lldb) "


class Session:
    """A program with its arguments, and what is typed and printed: pairs of a command and its lines."""

    def __init__(self, command):
        words = shlex.split(command)
        self.program, self.arguments = words[1], words[3:]
        self.steps = []


def sessions(page):
    """The sessions of a page, in its order."""
    found, fenced = [], False
    for line in page.replace("\\\n", " ").split("\n"):
        if line.startswith("```"):
            fenced = line == "```text"
        elif not fenced or line.startswith("$ ") and not line.startswith("$ lldb "):
            continue
        elif line.startswith("$ lldb "):
            found.append(Session(line[2:]))
        elif line.startswith(PROMPT) and found:
            found[-1].steps.append((line[len(PROMPT):], []))
        elif found and found[-1].steps:
            found[-1].steps[-1][1].append(line)
    return found


def run(session, lldb, environment):
    """What LLDB prints for each command of a session."""
    with tempfile.NamedTemporaryFile("w", suffix=".lldb") as file:
        file.write("\n".join(command for command, _ in session.steps) + "\n")
        file.flush()
        words = [lldb, "--no-lldbinit", "--batch", "-s", file.name, session.program, "--", *session.arguments]
        process = subprocess.run(
            words, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=600)
    outputs, rest = [], process.stdout.split("\n")
    for command, _ in session.steps:
        while rest and rest[0] != PROMPT + command:
            if outputs:
                outputs[-1].append(rest[0])
            rest.pop(0)
        outputs.append([])
        rest = rest[1:]
    if outputs:
        outputs[-1] += rest
    return outputs


def fits(expected, printed):
    """Whether a printed line is the page's, where `…` stands for anything and spaces count as one."""
    parts = [re.escape(part.strip()) for part in " ".join(expected.split()).split("…")]
    return re.fullmatch(".*".join(parts), printed) is not None


def missing(lines, printed):
    """The first of the page's lines that is not printed after those before it; None when all are."""
    printed = iter(" ".join(line.split()) for line in printed)
    for line in lines:
        if line.strip() in ("", "…"):
            continue
        if not any(fits(line, other) for other in printed):
            return line
    return None


def main():
    try:
        tools = toolchain.Toolchain()
        tools.check()
        environment = {**os.environ, **tools.lldb_environment()}
    except toolchain.Missing as error:
        print(error)
        return 3
    with open(os.path.join(REPOSITORY, "docs", "debugging.md"), encoding="utf-8") as file:
        page = file.read()
    status = 0
    for session in sessions(page):
        if not os.path.exists(os.path.join(REPOSITORY, session.program)):
            print(f"skipped: {session.program} has not been built")
            continue
        outputs = run(session, tools.lldb, environment)
        lines = wrong = 0
        for (command, expected), printed in zip(session.steps, outputs):
            lines += len(expected)
            line = missing(expected, printed)
            if line is not None:
                wrong += 1
                print(f"after {PROMPT}{command}\nthe page has\n  {line}\nand LLDB prints")
                print("\n".join("  " + other for other in printed))
        print(f"{session.program}: {len(session.steps)} commands, {lines} lines, {wrong} commands print something else")
        status |= wrong > 0
    return status


if __name__ == "__main__":
    sys.exit(main())
