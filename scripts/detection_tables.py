"""Trains the detectors of docs/results.md's tables and prints the tables: plain against residual trunks, appendix B.

    swift build -c release
    python3 scripts/detection_tables.py [--depths 10 26] [--seeds 1 2 3] [--iterations 1200] [--output runs/tables]

A run that is in the output folder already is not trained again, so the script can be stopped and started. Standard
library only.
"""

import argparse
import json
import os
import statistics
import subprocess

RESNET = ".build/release/resnet"


def resnet(*words):
    """The JSON object that a command ends with."""
    result = subprocess.run([RESNET, *map(str, words), "--json"], check=True, capture_output=True, text=True)
    return json.loads(result.stdout.splitlines()[-1])


def trained(arguments, network, seed, *options):
    """The folder of a run that has ended, and what it says of itself."""
    name = "-".join([network, *[o.strip("-") for o in options], f"seed{seed}"])
    folder = os.path.join(arguments.output, name)
    path = os.path.join(folder, "result.json")
    if not os.path.exists(path):
        result = resnet(
            "detect", "train", "--network", network, "--seed", seed, "--iterations", arguments.iterations, "--output",
            folder, "--resume", *options)
        with open(path, "w") as file:
            json.dump(result, file)
    with open(path) as file:
        return folder, json.load(file)


def cell(values):
    spread = f" ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * statistics.mean(values):.1f}{spread}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--depths", type=int, nargs="+", default=[10, 26])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--iterations", type=int, default=1200)
    parser.add_argument("--output", default="runs/tables")
    arguments = parser.parse_args()

    print("| trunk | mAP@.5 | mAP@[.5, .95] | seconds |\n| --- | --- | --- | --- |")
    for depth in arguments.depths:
        for kind in ["plain", "resnet"]:
            results = [trained(arguments, f"{kind}{depth}", seed)[1] for seed in arguments.seeds]
            print(
                f"| {kind}{depth} | {cell([r['mAP50'] for r in results])} | {cell([r['mAP'] for r in results])} | "
                f"{statistics.mean(r['seconds'] for r in results):.0f} |", flush=True)

    network = f"resnet{arguments.depths[0]}"
    print("\n| appendix B | mAP@.5 | mAP@[.5, .95] |\n| --- | --- | --- |")
    rows = {
        "the detector as it is": ((), ()),
        "box refinement": ((), ("--refine",)),
        "global context": (("--context",), ()),
        "multi-scale testing": ((), ("--scales", "96,128")),
        "all three": (("--context",), ("--refine", "--scales", "96,128")),
    }
    for name, (training, testing) in rows.items():
        results = []
        for seed in arguments.seeds:
            folder, _ = trained(arguments, network, seed, *training)
            results.append(resnet("detect", "evaluate", "--weights", folder + "/checkpoint.safetensors", *testing))
        print(
            f"| {name} | {cell([r['mAP50'] for r in results])} | {cell([r['mAP'] for r in results])} |", flush=True)


if __name__ == "__main__":
    main()
