"""Times this package and other engines in turns on the same machine.

    swift build -c release
    pip install "torch==2.13.0+cpu" numpy onnx onnxruntime openvino ncnn tensorflow-cpu jax
    python3 scripts/compare.py --quick                                    # one round of everything, few steps
    python3 scripts/compare.py --rows resnet34-1 --engines ncnn openvino  # a part, in three rounds
    python3 scripts/compare.py --results times.json                       # all rounds are kept, the table is of all

Training: PyTorch eager and compiled, TensorFlow, JAX. Inference: PyTorch eager, compiled and frozen, OpenVINO, ONNX
Runtime, ncnn. Engines that are not installed are left out with a message; torch.compile needs a C++ compiler.

A round of a row runs one engine after the other, this package first. Each is a process of its own that warms up, times
several steps and reports the median. Speeds are medians over the rounds. Other work on the machine slows all engines of
a round, so ratios are taken round by round, and their median is quoted. Memory is the largest resident size of the
process; other engines' networks are built by PyTorch in the same process. The result is a Markdown table.
"""

import argparse
import importlib.util
import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from compare_engines import ENGINES

RESNET = str(Path(__file__).resolve().parent.parent / ".build/release/resnet")
HERE = "here"


class Case:
    """A row: a network, a batch, training or inference, and the number of steps that are timed."""

    def __init__(self, network, batch, trains, steps):
        self.network, self.batch, self.trains, self.steps = network, batch, trains, steps
        self.name = ("train-" if trains else "") + f"{network}-{batch}"
        self.title = f"ResNet-{network.removeprefix('resnet')} {'training' if trains else 'inference'}"


CASES = [
    Case("resnet20", 128, True, 8), Case("resnet110", 128, True, 3),
    Case("resnet20", 1, False, 200), Case("resnet20", 128, False, 15),
    Case("resnet34", 1, False, 15), Case("resnet34", 8, False, 4),
    Case("resnet50", 1, False, 12), Case("resnet50", 8, False, 3),
]


def processor():
    """The processor's name, and whether it has vectors of 512 bits: machines with and without are not to be mixed."""
    try:
        text = Path("/proc/cpuinfo").read_text()
        found = [re.search(rf"^{key}\s*: (.*)$", text, re.M) for key in ("model name", "cpu family", "model", "flags")]
        name, family, model, flags = (match.group(1) if match else "" for match in found)
        return f"{name} (family {family}, model {model}), {'with' if 'avx512f' in flags.split() else 'without'} AVX-512"
    except OSError:
        name = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True).stdout
        return name.strip() or platform.processor() or platform.machine()


def worker(engine, case, threads, steps):
    """Runs in a process of its own; prints one line of JSON."""
    step = ENGINES[engine].start(case, threads)
    seconds = []
    for _ in range(steps + 2):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"imagesPerSecondMedian": case.batch / statistics.median(seconds[2:]), "peakMemoryBytes": peak}))


def measure(resnet, engine, case, threads, steps):
    """One process: images/s and bytes, or None, with a message, where it fails."""
    if engine == HERE:
        command = [
            resnet, "bench", "train" if case.trains else "infer", "--network", case.network, "--batch", str(case.batch),
            "--threads", str(threads), "--repeats", str(steps), "--json"]
    else:
        command = [sys.executable, __file__, "--worker", engine, case.name, str(threads), str(steps)]
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        message = (done.stderr.strip().splitlines() or ["no message"])[-1]
        print(f"{case.title}, batch {case.batch}, fails with {engine}: {message}", file=sys.stderr)
        return None
    result = json.loads(done.stdout.splitlines()[-1])
    return result["imagesPerSecondMedian"], result["peakMemoryBytes"]


def table(records, trains):
    """The lines of a Markdown table of all records of training or of inference."""
    titles = {HERE: "here", **{name: engine.title for name, engine in ENGINES.items()}}
    engines = [e for e in titles if any(r["trains"] == trains and r["engine"] == e for r in records)]
    if engines[:1] != [HERE]:
        return []
    head = ["training" if trains else "inference", "batch", "threads", *(titles[e] for e in engines), "here / the fastest other"]
    lines = [head, ["---"] * len(head)]
    for case in [case for case in CASES if case.trains == trains]:
        for threads in sorted({r["threads"] for r in records}):
            rows = [r for r in records if r["case"] == case.name and r["threads"] == threads]
            here = {r["round"]: r["speed"] for r in rows if r["engine"] == HERE}
            if not here:
                continue
            cells, ratios = [], {}
            for engine in engines:
                own = [r for r in rows if r["engine"] == engine]
                if not own:
                    cells.append("")
                    continue
                speed = statistics.median(r["speed"] for r in own)
                memory = statistics.median(r["memory"] for r in own)
                cells.append((f"{speed:.0f}" if speed >= 100 else f"{speed:.1f}") + f", {memory / 1e6:.0f} MB")
                if engine != HERE:
                    ratios[engine] = statistics.median(here[r["round"]] / r["speed"] for r in own)
            fastest = min(ratios, key=ratios.get, default=None)
            ratio = f"{ratios[fastest]:.2f} ({titles[fastest]})" if fastest else ""
            lines.append([f"{case.title}", f"{case.batch}", f"{threads}", *cells, ratio])
    return [f"| {' | '.join(line)} |" for line in lines]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", choices=[case.name for case in CASES], help="these rows; all if left out")
    parser.add_argument("--engines", nargs="*", choices=list(ENGINES), help="these engines; all if left out")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round, a third of the steps")
    parser.add_argument("--results", type=Path, help="a file of rounds (JSON), to which these are added")
    parser.add_argument("--resnet", default=RESNET, help="the command of this package")
    parser.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        engine, name, threads, steps = options.worker
        return worker(engine, next(case for case in CASES if case.name == name), int(threads), int(steps))
    if not Path(options.resnet).exists():
        sys.exit(f"there is no {options.resnet}: swift build -c release")

    chosen = []
    for name in ENGINES if options.engines is None else options.engines:
        missing = [module for module in ENGINES[name].modules if importlib.util.find_spec(module) is None]
        if missing:
            print(f"{ENGINES[name].title} is left out: {', '.join(missing)} is not installed", file=sys.stderr)
        else:
            chosen.append(name)

    machine = processor()
    kept = json.loads(options.results.read_text()) if options.results and options.results.exists() else []
    run = int(time.time())
    for case in CASES:
        if options.rows and case.name not in options.rows:
            continue
        steps = max(2, case.steps // 3) if options.quick else case.steps
        for threads in options.threads:
            engines = [HERE] + [e for e in chosen if (ENGINES[e].trains if case.trains else ENGINES[e].infers)]
            for number in range(1 if options.quick else options.rounds):
                for engine in list(engines):
                    result = measure(options.resnet, engine, case, threads, steps)
                    if result is None:
                        if engine == HERE:
                            sys.exit(1)
                        engines.remove(engine)
                        continue
                    print(f"{case.title}, batch {case.batch}, {threads} threads, {engine}: {result[0]:.1f} images/s", file=sys.stderr)
                    kept.append({
                        "processor": machine, "case": case.name, "trains": case.trains, "threads": threads,
                        "round": f"{run}.{number}", "engine": engine, "speed": result[0], "memory": result[1]})
                    if options.results:
                        options.results.write_text(json.dumps(kept, indent=1))
    print(f"{machine}: images/s, and the memory of the process")
    for trains in (True, False):
        lines = table([r for r in kept if r["processor"] == machine], trains)
        print("\n" + "\n".join(lines) if lines else "")


if __name__ == "__main__":
    main()
