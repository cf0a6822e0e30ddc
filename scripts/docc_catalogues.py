#!/usr/bin/env python3
"""Checks symbol graphs and writes the catalogues from which DocC makes the reference: a part of build-docs.sh.

    docc_catalogues.py GRAPHS OUT [--source URL] [--base PATH]

Every public symbol must have a doc comment, its own or that of the requirement it fulfils; what throws must say so; and
the page of every module must list all of its types. The catalogues in Sources are copied to OUT, and that of
ResidualLearning gets what is kept elsewhere: the pages of docs as articles, the drawings, and the tutorial with its
steps, which are cut from the test that runs them. Nothing of it is kept twice.

What DocC cannot show is mended on the way:

* A page's first lines in italics (what one needs) become its summary, upright.
* An answer that opens under a question (<details>) becomes the second tab of two.
* A drawing that follows the reader's preference becomes two, light and dark.
* A link to a page becomes a link to its article, under its title where the page names the file. A link to a file of the repository needs to know where that is:
  --source URL, such as https://host/owner/name/blob/main. Without it, a link to a source file leads to the type of that
  name, and of any other file the words remain. docs/walk.html is taken to stand at the root of the site (--base).
"""

import argparse
import json
import pathlib
import re
import shutil
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
HOME = "ResidualLearning"  # the module whose catalogue holds the pages
GROUPS = [
    ("The course", ["docs/course/README.md", *[f"docs/course/{n:02}-*.md" for n in range(1, 14)]]),
    ("Derivations", ["docs/derivations/residual-block.md", "docs/derivations/convolution.md",
                     "docs/derivations/batch-norm.md", "docs/derivations/softmax-cross-entropy.md",
                     "docs/derivations/winograd.md", "docs/derivations/detection.md"]),
    ("Beside the paper", ["docs/reading-guide.md", "docs/notation.md", "docs/swift-for-numpy.md", "docs/misreadings.md",
                          "docs/bug-museum.md", "docs/debugging.md", "docs/browser.md", "docs/differences.md"]),
    ("What was measured", ["docs/results.md", "docs/performance.md", "docs/reproducibility.md", "docs/testing.md"]),
]
STEPS = "Tests/ResidualExperimentsTests/Course/TutorialTests.swift"
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")


def symbols(graphs, module):
    graph = json.loads((graphs / f"{module}.symbols.json").read_text())
    inherited = {r["source"] for r in graph["relationships"]
                 if "sourceOrigin" in r or r["kind"] in ("requirementOf", "defaultImplementationOf")}
    return graph["symbols"], inherited


def check(graphs, module, page, problems):
    """Names symbols without a doc comment, and types that the module's page does not list."""
    listed = set(re.findall(r"^- ``([^`]+)``$", page, re.M))
    count = 0
    every, inherited = symbols(graphs, module)
    for symbol in every:
        name = ".".join(symbol["pathComponents"])
        identifier = symbol["identifier"]["precise"]
        if "::SYNTHESIZED::" in identifier:
            continue
        count += 1
        comment = "\n".join(line["text"] for line in symbol.get("docComment", {}).get("lines", []))
        declaration = "".join(f["spelling"] for f in symbol["declarationFragments"])
        if not comment.strip():
            if identifier not in inherited and "location" in symbol:
                problems.append(f"{module}.{name} has no doc comment")
        elif " throws" in declaration and "throws" not in comment.lower() and identifier not in inherited:
            problems.append(f"{module}.{name} does not say what it throws")
        if len(symbol["pathComponents"]) == 1 and name not in listed:
            problems.append(f"{module}.{name} is not in the topics of {module}.md")
    return count


# MARK: - Pages as articles


class Pages:
    def __init__(self, types, source, base):
        self.types, self.source, self.base = types, source, base
        self.articles = {}  # the path of a page, and its article's name
        for _, patterns in GROUPS:
            for pattern in patterns:
                for path in sorted(ROOT.glob(pattern)):
                    page = path.relative_to(ROOT).as_posix()
                    self.articles[page] = "the-course" if path.stem == "README" else path.stem
        self.images = {}

    def target(self, page, link):
        """The path from the root that a link of a page leads to, and its anchor."""
        path, _, anchor = link.partition("#")
        if not path:
            return page, anchor
        return ((ROOT / page).parent / path).resolve().relative_to(ROOT).as_posix(), anchor

    def anchor(self, page, slug):
        """The heading of a page that GitHub calls `slug`, as DocC calls it."""
        for heading in re.findall(r"^#+ (.*)$", (ROOT / page).read_text(), re.M):
            if re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") == slug:
                return "#" + re.sub(r"\s+", "-", re.sub("[`'\"]", "", heading.strip()))
        raise SystemExit(f"{page} has no heading '{slug}'")

    def link(self, page, match, restore):
        bang, text, link = match.groups()
        words = restore(text).strip("`")
        if re.match(r"[a-z]+:", link):
            return match[0]
        path, anchor = self.target(page, link)
        if bang:
            self.images[path] = pathlib.Path(path).stem
            return f"![{text}]({self.images[path]})"
        if path in self.articles:
            if path == page and not anchor:
                return text
            article = f"doc:{self.articles[path]}{self.anchor(path, anchor) if anchor else ''}"
            return f"<{article}>" if words.endswith(".md") else f"[{text}]({article})"
        if path == "docs/walk.html":
            return f"[{text}]({self.base}/walk.html)" if self.base is not None else text
        if path == "docs/derivations":
            return f"[{text}](doc:{HOME}#Derivations)"
        if self.source:
            return f"[{text}]({self.source}/{path}{'#' + anchor if anchor else ''})"
        stem = pathlib.Path(path).stem
        return f"[{text}](doc:{stem})" if path.startswith(f"Sources/{HOME}/") and stem in self.types else text

    def article(self, page):
        text = (ROOT / page).read_text()
        # Links whose target stands at the end of the page are written out.
        targets = dict(re.findall(r"^\[([^\]]+)\]: (\S+)\n?", text, re.M))
        text = re.sub(r"^\[[^\]]+\]: \S+\n?", "", text, flags=re.M)
        # Code stays as it is: a number stands for each piece while the links are mended.
        held = []

        def hold(match):
            held.append(match[0])
            return f"\x00{len(held) - 1}\x00"

        def restore(text):
            return re.sub("\x00(\\d+)\x00", lambda m: held[int(m[1])], text)

        def written_out(match):
            target = targets.get(restore(match[match.lastindex]))
            return f"[{match[1]}]({target})" if target else match[0]

        text = re.sub(r"^```.*?^```$|(?<=\n\n)(?: {4}[^\n]*\n)+|`[^`]+`", hold, text, flags=re.M | re.S)
        text = re.sub(r"\[([^\[\]]+)\]\[([^\[\]]+)\]", written_out, text)
        text = re.sub(r"\[([^\[\]]+)\](?![(\[])", written_out, text)
        text = LINK.sub(lambda m: self.link(page, m, restore), text)
        text = re.sub(r"^<details><summary>(.*?)</summary>\n(.*?)^</details>$", self.tabs, text, flags=re.M | re.S)
        text = re.sub(r"\A(# .*\n)\n\*(You need:.*?)\*\n\n", r"\1\n\2\n\n", text, flags=re.S)
        text = re.sub(r"\A(# .*\n)\n!", r"\1\n## Overview\n\n!", text)  # a picture is no summary
        text = restore(text)
        if left := re.search(r"\]\([\w./-]+\.(md|swift|ipynb)[#)]", text):
            raise SystemExit(f"{page}: the link {left[0]} was not mended")
        return text

    @staticmethod
    def tabs(match):
        return (f"@TabNavigator {{\n@Tab(\"Your turn\") {{\nThink first; the other tab has the answer.\n}}\n"
                f"@Tab(\"{match[1]}\") {{\n{match[2].strip()}\n}}\n}}")


def write_images(images, folder):
    for path, name in images.items():
        if not path.endswith(".svg"):
            shutil.copy(ROOT / path, folder)
            continue
        svg = (ROOT / path).read_text()
        style = re.search(r"@media \(prefers-color-scheme: ?dark\) ?\{((?:[^{}]*\{[^{}]*\})*)[^{}]*\}", svg)
        if style is None:
            (folder / f"{name}.svg").write_text(svg)
            continue
        (folder / f"{name}.svg").write_text(svg.replace(style[0], ""))
        (folder / f"{name}~dark.svg").write_text(svg.replace(style[0], style[1]))


# MARK: - The tutorial


def write_steps(folder):
    """Cuts the test into files at the lines `// file NAME`, and each file into its steps at the lines `// step`."""
    test = (ROOT / STEPS).read_text().split("// end of the file")[0]
    parts = re.split(r"^ *// file (\S+)\n", test, flags=re.M)[1:]
    head = "import ResidualLearning"
    for name, body in zip(parts[::2], parts[1::2]):
        body = re.sub(r"^ *numbers\(.*\n", "", textwrap.dedent(body), flags=re.M)
        steps = [step.strip("\n") for step in re.split(r"^// step\n", body, flags=re.M)[1:]]
        for i in range(len(steps)):
            (folder / f"{name}-{i + 1}.swift").write_text("\n\n".join([head] + steps[:i + 1]) + "\n")
        head = f"// This goes on where {name}.swift ends."


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("graphs", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--source")
    parser.add_argument("--base")
    options = parser.parse_args()
    problems = []
    count = 0
    catalogues = sorted(ROOT.glob("Sources/*/*.docc"))
    for catalogue in catalogues:
        module = catalogue.stem
        count += check(options.graphs, module, (catalogue / f"{module}.md").read_text(), problems)
        shutil.copytree(catalogue, options.out / catalogue.name)
    types = {s["pathComponents"][0] for s in symbols(options.graphs, HOME)[0]}
    pages = Pages(types, options.source, options.base)
    every = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")}
    problems += [f"{page} is in none of the groups of articles" for page in sorted(every - set(pages.articles))]
    home = options.out / f"{HOME}.docc"
    topics = "### A tutorial\n\n- <doc:The-Steps-of-a-Block>\n"
    for title, patterns in GROUPS:
        topics += f"\n### {title}\n\n"
        for pattern in patterns:
            for path in sorted(ROOT.glob(pattern)):
                page = path.relative_to(ROOT).as_posix()
                (home / f"{pages.articles[page]}.md").write_text(pages.article(page))
                topics += f"- <doc:{pages.articles[page]}>\n"
    landing = home / f"{HOME}.md"
    landing.write_text(landing.read_text().replace("## Topics\n", "## Topics\n\n" + topics, 1))
    for tutorial in sorted((ROOT / "docs/tutorial").glob("*.tutorial")):
        shutil.copy(tutorial, home)
        for name in re.findall(r"source: ([\w-]+)", tutorial.read_text()):
            pages.images.setdefault(f"docs/drawings/{name}.svg", name)
    resources = home / "Resources"
    resources.mkdir()
    write_images(pages.images, resources)
    write_steps(resources)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        raise SystemExit(f"{len(problems)} problems")
    print(f"{count} public symbols, {len(pages.articles)} articles, {len(pages.images)} drawings")


if __name__ == "__main__":
    main()
