"""Trains the detectors of docs/results.md and writes its tables: plain against residual trunks, appendix B.

    swift build -c release
    python3 scripts/detection_tables.py [--depths 10 26] [--seeds 1 2 3] [--iterations 1200] [--runs runs/detection]

Writes trunks.csv, improvements.csv and losses.svg into --output, docs/results/detection unless given, and prints the
tables. A run that is in the folder --runs already is not trained again, so the script can be stopped and started.
Standard library only.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess

COLORS = {"plain": "#d55e00", "resnet": "#0072b2"}


def resnet(arguments, *words):
    """The JSON object that a command ends with."""
    words = [arguments.resnet, *map(str, words), "--json"]
    result = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(result.stdout.splitlines()[-1])


def remembered(path, compute):
    """What a file holds; it is written if it is not there."""
    if not os.path.exists(path):
        result = compute()
        with open(path, "w") as file:
            json.dump(result, file)
    with open(path) as file:
        return json.load(file)


def trained(arguments, network, seed, *options):
    """The folder of a run that has ended, and what it says of itself."""
    name = "-".join([network, *[o.strip("-") for o in options], f"seed{seed}"])
    folder = os.path.join(arguments.runs, name)
    os.makedirs(folder, exist_ok=True)
    return folder, remembered(
        os.path.join(folder, "result.json"),
        lambda: resnet(
            arguments, "detect", "train", "--network", network, "--seed", seed, "--iterations", arguments.iterations,
            "--output", folder, "--resume", *options))


def evaluated(arguments, folder, *options):
    name = "-".join(["evaluation", *[o.strip("-").replace(",", "-") for o in options]]) + ".json"
    return remembered(
        os.path.join(folder, name),
        lambda: resnet(arguments, "detect", "evaluate", "--weights", folder + "/checkpoint.safetensors", *options))


def cell(values):
    spread = f" ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * statistics.mean(values):.1f}{spread}"


def write(arguments, name, rows):
    """A CSV file with a row for each seed: what it is, the seed, mAP@.5 and mAP@[.5, .95]."""
    with open(os.path.join(arguments.output, name), "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["what", "seed", "mAP50", "mAP"])
        for what, seed, result in rows:
            writer.writerow([what, seed, f"{result['mAP50']:.4f}", f"{result['mAP']:.4f}"])


def losses(folder, width=50):
    """The mean total loss of every `width` steps of a run."""
    with open(os.path.join(folder, "log.csv")) as file:
        values = [float(row["loss"]) for row in csv.DictReader(file)]
    return [(i + width, statistics.mean(values[i:i + width])) for i in range(0, len(values) - width + 1, width)]


def plot(curves, path):
    """Losses against steps as SVG. A curve is a name, a colour, whether it is dashed, and points."""
    right = max(x for *_, points in curves for x, _ in points)
    top = max(y for *_, points in curves for _, y in points)

    def place(x, y):
        return f"{50 + 520 * x / right:.1f},{270 - 240 * y / top:.1f}"

    lines = ['<svg xmlns="http://www.w3.org/2000/svg" width="720" height="320" font-family="sans-serif" font-size="12">',
             '<rect width="720" height="320" fill="white"/>',
             '<path d="M50,30V270H570" fill="none" stroke="black"/>',
             f'<text x="310" y="305" text-anchor="middle">step</text><text x="570" y="287" text-anchor="end">{right}</text>',
             '<text x="50" y="20" text-anchor="middle">loss</text><text x="44" y="274" text-anchor="end">0</text>'
             f'<text x="44" y="36" text-anchor="end">{top:.1f}</text>']
    named = []
    for name, color, dashed, points in curves:
        dash = ' stroke-dasharray="5 3"' if dashed else ""
        lines.append(f'<polyline points="{" ".join(place(*p) for p in points)}" fill="none" stroke="{color}"{dash}/>')
        if name not in named:
            y = 40 + 20 * len(named)
            named.append(name)
            lines.append(f'<path d="M590,{y - 4}h30" stroke="{color}"{dash}/><text x="626" y="{y}">{name}</text>')
    with open(path, "w") as file:
        file.write("\n".join(lines + ["</svg>"]) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--depths", type=int, nargs="+", default=[10, 26])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--iterations", type=int, default=1200)
    parser.add_argument("--runs", default="runs/detection")
    parser.add_argument("--output", default="docs/results/detection")
    parser.add_argument("--resnet", default=".build/release/resnet")
    arguments = parser.parse_args()
    os.makedirs(arguments.output, exist_ok=True)

    rows, curves = [], []
    print("| trunk | mAP@.5 | mAP@[.5, .95] |\n| --- | --- | --- |")
    for number, depth in enumerate(arguments.depths):
        for kind in ["plain", "resnet"]:
            runs = [trained(arguments, f"{kind}{depth}", seed) for seed in arguments.seeds]
            results = [result for _, result in runs]
            rows += [(f"{kind}{depth}", seed, result) for seed, result in zip(arguments.seeds, results)]
            curves += [(f"{kind}{depth}", COLORS[kind], number > 0, losses(folder)) for folder, _ in runs]
            print(f"| {kind}{depth} | {cell([r['mAP50'] for r in results])} | {cell([r['mAP'] for r in results])} |",
                  flush=True)
    write(arguments, "trunks.csv", rows)
    plot(curves, os.path.join(arguments.output, "losses.svg"))

    network, rows = f"resnet{arguments.depths[0]}", []
    print("\n| detector | mAP@.5 | mAP@[.5, .95] |\n| --- | --- | --- |")
    improvements = {
        "the detector as it is": ((), ()),
        "box refinement": ((), ("--refine",)),
        "global context": (("--context",), ()),
        "multi-scale testing": ((), ("--scales", "96,128")),
        "all three": (("--context",), ("--refine", "--scales", "96,128")),
    }
    for what, (training, testing) in improvements.items():
        results = []
        for seed in arguments.seeds:
            folder, result = trained(arguments, network, seed, *training)
            results.append(evaluated(arguments, folder, *testing) if testing else result)
            rows.append((what, seed, results[-1]))
        print(f"| {what} | {cell([r['mAP50'] for r in results])} | {cell([r['mAP'] for r in results])} |", flush=True)
    write(arguments, "improvements.csv", rows)


if __name__ == "__main__":
    main()
