#!/usr/bin/env python3
"""Executes Swift notebooks with nothing but Python's standard library and LLDB.

    run.py NOTEBOOK.ipynb...                 executes them and writes the outputs into the files
    run.py --output FILE NOTEBOOK.ipynb      writes the notebook with its outputs into another file
    run.py --check NOTEBOOK.ipynb...         writes nothing; compares the outputs with those in the files

Without names it takes every notebook of the folder above. The exit status is 1 when a cell fails, or with --check when its
outputs are not those in the file. The package's numbers are the same bits everywhere, so every digit counts, and every pixel.
"""

import argparse
import difflib
import glob
import hashlib
import json
import os
import sys
import time

import client

HERE = os.path.dirname(os.path.abspath(__file__))


def lines(text):
    """Text as notebooks hold it: a list of lines with their line feeds."""
    return text.splitlines(keepends=True)


def outputs(results, count):
    """What a cell yields, in the notebook format. `count` is the cell's number."""
    found = []
    for result in results:
        if isinstance(result, client.Text):
            if found and found[-1]["output_type"] == "stream":
                found[-1]["text"] = lines("".join(found[-1]["text"]) + result.text)
            else:
                found.append({"name": "stdout", "output_type": "stream", "text": lines(result.text)})
        elif isinstance(result, client.Picture):
            data = result.data if result.mime == "image/png" else lines(result.data)
            found.append({"data": {result.mime: data}, "metadata": {}, "output_type": "display_data"})
        elif isinstance(result, client.Value):
            found.append({
                "data": {"text/plain": lines(result.text)}, "execution_count": count, "metadata": {},
                "output_type": "execute_result"})
        else:
            found.append({
                "ename": result.name, "evalue": result.text, "output_type": "error",
                "traceback": result.text.splitlines()})
    return found


def code_cells(book):
    return [cell for cell in book["cells"] if cell["cell_type"] == "code"]


def execute(book, directory):
    """Runs the cells of a notebook and sets their outputs. Stops at the first that fails; returns whether none did."""
    session = client.Session(directory)
    try:
        for count, cell in enumerate(code_cells(book), start=1):
            began = time.time()
            cell["execution_count"] = count
            cell["outputs"] = outputs(session.run("".join(cell["source"])), count)
            print(f"  cell {count}: {time.time() - began:.1f} s")
            failures = [output for output in cell["outputs"] if output["output_type"] == "error"]
            if failures:
                print("\n".join(failures[0]["traceback"]), file=sys.stderr)
                return False
        return True
    finally:
        session.close()


def comparable(cell):
    """A cell's outputs as lines: text as it is, pictures by their type and a checksum."""
    text = ""
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            text += "".join(output["text"])
        for mime, data in output.get("data", {}).items():
            data = "".join(data)
            checksum = hashlib.sha256(data.strip().encode()).hexdigest()[:16]
            text += (data if mime == "text/plain" else f"({mime}, {checksum})") + "\n"
    return text.splitlines()


def differences(before, after):
    """Lines that tell how the outputs of two executions of a notebook differ."""
    found = []
    for count, (old, new) in enumerate(zip(code_cells(before), code_cells(after)), start=1):
        found += difflib.unified_diff(
            comparable(old), comparable(new), f"cell {count} in the file", f"cell {count} now", lineterm="", n=1)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK.ipynb")
    parser.add_argument("--check", action="store_true", help="compare with the outputs in the files; write nothing")
    parser.add_argument("--output", metavar="FILE", help="where to write the executed notebook")
    options = parser.parse_args()
    notebooks = options.notebooks or sorted(glob.glob(os.path.join(os.path.dirname(HERE), "*.ipynb")))
    if options.output and (options.check or len(notebooks) != 1):
        parser.error("--output goes with one notebook and without --check")

    is_good = True
    for path in notebooks:
        print(os.path.basename(path))
        with open(path, encoding="utf-8") as file:
            text = file.read()
        book = json.loads(text)
        try:
            ran = execute(book, os.path.dirname(os.path.abspath(path)))
        except client.Missing as problem:
            sys.exit(f"run.py: {problem}")
        is_good = is_good and ran
        if options.check:
            different = differences(json.loads(text), book) if ran else []
            print("\n".join(different) if different else "  the outputs are those in the file" if ran else "  failed")
            is_good = is_good and not different
        else:
            with open(options.output or path, "w", encoding="utf-8") as file:
                json.dump(book, file, indent=1, ensure_ascii=False, sort_keys=True)
                file.write("\n")
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
