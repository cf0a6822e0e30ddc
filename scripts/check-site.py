#!/usr/bin/env python3
"""Opens the page of scripts/build-site.sh in Chromium, from disk and from a server of files: walks, breaks backward, trains,
draws, and compares the numbers with the command's.

    scripts/build-site.sh
    swift build --disable-default-traits --traits OptimizedKernels -c release --scratch-path .build-portable
    scripts/check-site.py .build-portable/release/resnet [--screenshots DIR]

The command is that of the build without fused multiply-adds, whose bits WebAssembly has. The script needs Chromium and
its driver (Debian: chromium, chromium-driver) and nothing beyond Python's standard library; without them it says so and
ends with status 0.
"""

import functools
import hashlib
import http.server
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error

HERE = pathlib.Path(__file__).resolve().parent
SITE = HERE.parent / "site"


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


walk_check = load("check_walk", HERE / "check-walk.py")
ENTER, SPACE, DOWN, RIGHT = "\ue007", " ", "\ue015", "\ue014"

# What is wider than the window or than its box, and what has no name for a screen reader.
FAULTS = """
  const faults = [];
  if (document.documentElement.scrollWidth > innerWidth) faults.push("the page is wider than the window");
  const part = document.getElementById(document.getElementById("train").hidden ? "walk" : "train");
  for (const one of part.querySelectorAll("button, select, input, table[role=grid], section, nav, canvas, progress, svg")) {
    if (!one.getClientRects().length || one.closest("[aria-hidden], #map")) continue;
    const name = one.getAttribute("aria-label") || one.getAttribute("aria-labelledby") || one.textContent.trim()
      || one.labels?.[0]?.textContent;
    if (!name) faults.push(`no name: ${one.outerHTML.slice(0, 80)}`);
  }
  for (const box of part.querySelectorAll("td[data-i], button, p, code")) {
    if (box.scrollWidth > box.clientWidth + 1 && box.clientWidth > 0) faults.push(`too wide: ${box.textContent.slice(0, 60)}`);
  }
  return faults"""

WITHOUT_VECTORS = "WebAssembly.validate = () => false;"


class Page(walk_check.Browser):
    """A browser with the page in it."""

    def call(self, *request):
        try:
            return super().call(*request)
        except urllib.error.HTTPError as error:
            sys.exit(f"{request}: {error.read().decode()[:600]}")

    def show(self, address, part="train", script=None):
        if script:
            self.devtools("Page.addScriptToEvaluateOnNewDocument", source=script)
        began = time.time()
        self.call("POST", "/url", {"url": f"{address}#{part}"})
        self.call("POST", "/refresh", {})  # another part of the same address is no new page
        self.wait("document.documentElement.dataset.ready === 'yes' || document.getElementById('message').textContent.length > 30")
        return time.time() - began

    def wait(self, condition, seconds=60):
        end = time.time() + seconds
        while time.time() < end:
            if self.run(f"return !!({condition})"):
                return True
            time.sleep(0.05)
        return False

    def choose(self, mistake):
        self.run("const s = document.getElementById('mistake'); s.value = arguments[0];"
                 "s.dispatchEvent(new Event('change'))", mistake)

    def set(self, **settings):
        """Fills the form of the training runs and waits until they can begin."""
        for name, value in settings.items():
            self.run("document.getElementById(arguments[0]).value = arguments[1]", name, str(value))
        self.run("document.getElementById('settings').dispatchEvent(new Event('change'))")
        time.sleep(0.3)
        return self.wait("[...training.runs.values()].length === 2 && [...training.runs.values()].every((r) => r.isReady)")

    def click(self, name):
        self.wait(f"!document.getElementById('{name}').disabled")
        self.run("document.getElementById(arguments[0]).click()", name)

    def drag(self, points):
        """Draws on the board with the pointer."""
        box = self.run("document.getElementById('board').scrollIntoView({ block: 'center' });"
                       "const r = document.getElementById('board').getBoundingClientRect(); return [r.left, r.top, r.width]")
        places = [(round(box[0] + x * box[2]), round(box[1] + y * box[2])) for x, y in points]
        move = lambda p: {"type": "pointerMove", "duration": 20, "x": p[0], "y": p[1]}
        actions = [move(places[0]), {"type": "pointerDown", "button": 0}, *map(move, places[1:]), {"type": "pointerUp", "button": 0}]
        self.call("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]})


def check_walk(page, check, resnet):
    """The numbers of the live walk are those of `resnet trace`, before and after changes."""
    walk, swift, _ = walk_check.swift_numbers(resnet)
    compared = page.run("""
      const { tensor } = walkParts, wrong = [];
      let count = 0;
      for (const [id, numbers] of Object.entries(arguments[0])) {
        const found = tensor(id).numbers;
        numbers.forEach((x, i) => {
          count += 1;
          if (Math.abs(found[i] - x) > 1e-5 * Math.abs(x) + 1e-12) wrong.push(`${id} ${i}: ${found[i]}, the command ${x}`);
        });
      }
      return [count, wrong.slice(0, 3), wrong.length]""", swift)
    check(compared[0] > 20000 and compared[2] == 0, f"numbers of the walk: {compared}")
    check(page.run("return walkParts.walk.stops.length") == len(walk["stops"]), "the page has other stops than the command")
    worst = page.run("""
      const { walk, tensor, terms, termValue } = walkParts;
      let worst = 0;
      const ids = [...walk.nodes.map((_, k) => "v:" + k), ...walk.nodes.map((_, k) => "g:" + k), ...walk.parameters.map((_, n) => "q:" + n)];
      for (const id of ids) {
        tensor(id).numbers.forEach((x, i) => {
          if (i % 7) return;
          const made = terms(id, i);
          if (!made) return;
          const values = made.map(termValue), scale = Math.max(Math.abs(x), ...values.map(Math.abs), 1e-9);
          worst = Math.max(worst, Math.abs(values.reduce((a, b) => a + b, 0) - x) / scale);
        });
      }
      return worst""")
    check(worst < 2e-4, f"the terms of a number miss it by {worst}")
    return compared[0]


def wrong_elements(page):
    return page.run("""
      const { tensorsToCheck, partOf, isOff } = walkParts;
      return tensorsToCheck().reduce((sum, id) => sum + partOf(id).difference.filter((_, i) => isOff(partOf(id), i)).length, 0)""")


def check_gradients(page, check):
    """No element of the right gradients is off; with a mistake some are, and the line that has it is found."""
    page.click("checkAll")
    check(page.wait("walkParts.tensorsToCheck().every(walkParts.isChecked)", 120), "the gradient check does not end")
    check(wrong_elements(page) == 0, f"{wrong_elements(page)} elements are wrong without a mistake")
    names = page.run("return walkParts.walk.mistakes.map(({ name }) => name)")
    check(len(names) >= 20, f"only {len(names)} mistakes")
    for number, name in enumerate(names):
        page.choose(name)
        check(wrong_elements(page) > 0, f"{name}: no element is wrong")
        page.choose("")
        page.run("walkParts.hideBug(arguments[0])", number)
        # The page shows the line at one of the stops of the layer; it is named there, after a wrong guess.
        found = page.run("""
          const { walk, live, go } = walkParts, { place, lines } = live.secret;
          const stops = walk.stops.map((stop, s) => [stop, s]).filter(([{ phase, name }]) =>
            phase === "backward" && (name === place || name.startsWith(place + ".")));
          for (const [stop, s] of stops) for (const [i, [key]] of stop.code.entries()) {
            const right = lines.find(([other]) => other === key);
            if (!right) continue;
            go(s);
            const rows = [...document.querySelectorAll("#code pre")[i].children];
            rows.find((_, line) => !right.slice(1).includes(line)).click();
            const missed = document.getElementById("bug").textContent;
            document.querySelectorAll("#code pre")[i].children[right[1]].click();
            return [missed, document.getElementById("bug").textContent];
          }
          return ["", ""]""")
        check("another line" in found[0] and found[1].startswith("Found, after 2 guesses"), f"{name}: {found}")
    page.choose("")
    check(wrong_elements(page) == 0, "a mistake stays after it was switched off")
    return len(names)


def check_changes(page, check):
    """A pixel, a weight and an upstream gradient are changed: the loss and the gradients follow, as differences say."""
    for stop, cell in ((0, "v:0"), (1, "p:0"), (44, "g")):
        page.run("walkParts.go(arguments[0])", stop)
        before = page.run("return walkParts.walk.loss")
        expected = page.run("""
          const view = [...document.querySelectorAll("#tensors .tensor[data-tensor]")].find((one) =>
            one.dataset.tensor.startsWith(arguments[0]));
          const cell = view.querySelectorAll("td[data-i]")[5], id = view.dataset.tensor, i = Number(cell.dataset.i);
          cell.focus();
          const { tensor } = walkParts, gradient = { v: "g", p: "q" }[id[0]];
          return [id, i, tensor(id).numbers[i], gradient ? tensor(gradient + id.slice(1)).numbers[i] : 0]""", cell)
        page.press(ENTER)
        check(page.run("return document.activeElement.id") == "changeValue", "Enter does not go to the new value")
        value = expected[2] + 0.001
        page.run("document.getElementById('changeValue').value = arguments[0];"
                 "document.getElementById('change').requestSubmit()", str(value))
        check(abs(page.run("const { id, i } = walkParts.live.target; return walkParts.tensor(id).numbers[i]") - value) < 2e-6,
              f"{expected[0]} did not change")
        moved = page.run("return walkParts.walk.loss") - before
        check(abs(moved - 0.001 * expected[3]) < 2e-5, f"{expected}: the loss moved by {moved}")
        page.wait("walkParts.tensorsToCheck().every(walkParts.isChecked)", 120)
        check(wrong_elements(page) <= 2, f"{wrong_elements(page)} elements are wrong after {expected[0]} was changed")
        page.click("undo")
        check(page.run("return walkParts.walk.loss") == before, "undoing leaves another loss")


def command_checksum(resnet, work, network, settings):
    """The SHA-256 of the checkpoint that the command writes, and its answer."""
    folder = f"{work}/{network}"
    arguments = [resnet, "train", "--network", network, "--limit", settings["images"], "--batch", settings["batch"],
                 "--iterations", settings["iterations"], "--rate", settings["rate"], "--seed", settings["seed"],
                 "--output", folder, "--json"]
    result = subprocess.run([str(a) for a in arguments], check=True, capture_output=True, text=True)
    answer = json.loads(result.stdout.strip().split("\n")[-1])
    checkpoint = f"{folder}/checkpoint.safetensors"
    return hashlib.sha256(pathlib.Path(checkpoint).read_bytes()).hexdigest(), answer, checkpoint


def check_training(page, check, resnet, work, settings):
    """Trains both networks, with a reload in the middle, and compares checkpoints with the command's."""
    check(page.set(**settings), "the runs do not get ready")
    page.wait("!document.getElementById('go').disabled")
    page.run("document.getElementById('go').focus()")
    page.press(ENTER)
    check(page.wait("[...training.runs.values()].every((run) => run.iteration >= 4)"), "training does not begin")
    page.click("go")
    check(page.wait("[...training.runs.values()].every((run) => run.digits && !run.isRunning)"), "training does not stop")
    stands = page.run("return [...training.runs.values()].map((run) => run.iteration)")
    page.wait("false", 0.3)  # the store is written
    page.call("POST", "/refresh", {})
    page.wait("document.documentElement.dataset.ready === 'yes' && [...training.runs.values()].every((run) => run.isReady)")
    kept = page.run("return [...training.runs.values()].map((run) => [run.iteration, run.losses.length])")
    check(kept == [[n, n] for n in stands], f"after a reload {kept} of {stands} steps are there")
    if min(stands) < settings["iterations"]:
        page.click("go")
    check(page.wait("[...training.runs.values()].every((run) => run.iteration >= training.settings.iterations && run.digits)"),
          "training does not end")
    for name in ("resnet", "plain"):
        network = f"{name}{settings['depth']}"
        expected, answer, checkpoint = command_checksum(resnet, work, network, settings)
        check(answer["arithmetic"] == "separate", f"{resnet} is not the build without fused multiply-adds")
        digits = page.run("return training.runs.get(arguments[0]).digits", name)
        check(digits == expected, f"{network}: the page has {digits}, the command {expected}")
        test = subprocess.run([resnet, "evaluate", "--weights", checkpoint, "--limit", "200", "--json"], check=True,
                              capture_output=True, text=True).stdout.strip().split("\n")[-1]
        error = page.run("return training.runs.get(arguments[0]).errors.at(-1)[1]", name)
        check(abs(json.loads(test)["accuracy"] - (1 - error)) < 1e-9, f"{network}: an error of {error}, the command {test}")
    return stands


def check_drawing(page, check):
    """A picture is drawn with the pointer and with the keyboard; both networks answer."""
    page.drag([(0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7), (0.3, 0.3)])
    check(page.wait("document.querySelectorAll('#answers td .bar').length === 20"), "the drawing has no answer")
    page.wait("[...training.runs.values()].every((run) => run.probabilities.length === 130)")
    sums = page.run("return [...training.runs.values()].map((run) => run.probabilities.slice(120).reduce((a, b) => a + b, 0))")
    check(all(abs(s - 1) < 1e-5 for s in sums), f"probabilities add up to {sums}")
    page.click("clear")
    page.run("document.getElementById('board').focus()")
    page.press(SPACE, RIGHT, RIGHT, DOWN, DOWN)
    check(page.wait("document.querySelectorAll('#answers td .bar').length === 20"), "the keyboard draws nothing")
    check("down" in page.run("return document.getElementById('cursor').textContent"), "the chalk is not down")


def check_end(page, check):
    """A page that is closed leaves no worker behind."""
    workers = lambda: [t for t in page.devtools("Target.getTargets", filter=[{}])["targetInfos"] if t["type"] == "worker"]
    before = len(workers())
    home = page.call("GET", "/window")
    page.call("POST", "/window", {"handle": page.call("POST", "/window/new", {"type": "tab"})["handle"]})
    other = page.call("GET", "/window")
    page.call("POST", "/window", {"handle": home})
    page.call("DELETE", "/window")
    page.call("POST", "/window", {"handle": other})
    time.sleep(0.5)
    check(before >= 2 and not workers(), f"{before} workers before, {len(workers())} after the page was closed")


def check_looks(address, check, folder):
    """Nothing is too wide, on a phone and on a desk, in light and in dark."""
    for width, height in ((390, 844), (1400, 900)):
        for dark in (False, True):
            page = Page(width, height, dark)
            try:
                page.show(address)
                page.wait("document.querySelectorAll('#pictures span').length === 24")
                page.drag([(0.3, 0.3), (0.7, 0.3), (0.5, 0.7), (0.3, 0.3)])
                check(page.wait("document.querySelectorAll('#answers td .bar').length === 20"), f"no answer at {width}")
                look = f"{width}-{'dark' if dark else 'light'}"
                check(page.run(FAULTS) == [], f"training at {look}: {page.run(FAULTS)[:3]}")
                if folder:
                    page.run("scrollTo(0, 0)")
                    page.screenshot(f"{folder}/train-{look}.png", True)
                page.run("location.hash = '#walk'")
                page.choose("bn-no-mean-term")
                for stop in (0, 1, 2, 18, 30, 45, 55, 64):
                    page.run("walkParts.go(arguments[0])", stop)
                    page.run("document.querySelector('#tensors td[data-i]')?.focus()")
                    check(page.run(FAULTS) == [], f"stop {stop + 1} at {look}: {page.run(FAULTS)[:3]}")
                    if folder and stop in (2, 45):
                        page.wait("document.querySelectorAll('#tensors td.off').length > 20", 3)
                        page.screenshot(f"{folder}/walk-{stop + 1:02}-{look}.png")
                check(page.errors() == [], f"at {look} the page complains: {page.errors()}")
            finally:
                page.close()


def server():
    """A server of files for the folder, and its address."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    found = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(SITE)))
    threading.Thread(target=found.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{found.server_address[1]}/index.html"


def main():
    resnet, folder = walk_check.arguments(__doc__)
    check = walk_check.Check()
    size = sum(path.stat().st_size for path in SITE.iterdir() if path.is_file())
    check(size < 1_000_000, f"the page has {size} bytes")
    disk = (SITE / "index.html").as_uri()
    settings = {"depth": 8, "images": 200, "batch": 16, "iterations": 10, "rate": 0.05, "seed": 7}

    page = Page(1400, 900)
    try:
        seconds = page.show(disk, "walk")
        numbers = check_walk(page, check, resnet)
        mistakes = check_gradients(page, check)
        check_changes(page, check)
        check(page.errors() == [], f"the page complains: {page.errors()}")
        page.show(disk)
        with tempfile.TemporaryDirectory() as work:
            check_training(page, check, resnet, work, settings)
        check_drawing(page, check)
        check(page.errors() == [], f"the page complains: {page.errors()}")
        check_end(page, check)
    finally:
        page.close()

    page = Page(1400, 900)
    try:
        page.show(server())
        check(page.set(**{**settings, "iterations": 4, "batch": 64}), "the runs do not get ready on a server")
        page.click("go")
        check(page.wait("[...training.runs.values()].every((run) => run.digits)"), "training does not end on a server")
        loaded = page.run("return performance.getEntriesByType('resource').map(({ name }) => name.split('/').at(-1))")
        check(sorted(name for name in loaded if "-" not in name) == ["page.js", "resnet.wasm.js"], f"the page loads {loaded}")
        check(page.errors() == [], f"on a server the page complains: {page.errors()}")
        page.show(disk, script=WITHOUT_VECTORS)
        words = page.run("return document.getElementById('message').textContent")
        check("lacks WebAssembly's vectors" in words, f"without SIMD the page says: {words}")
    finally:
        page.close()

    check_looks(disk, check, folder)
    for failure in check.failures:
        print(failure, file=sys.stderr)
    print(f"{size:,} bytes, there after {seconds:.1f} s; {numbers} numbers of the walk, {mistakes} mistakes, "
          f"{check.count} checks, {len(check.failures)} failed")
    if check.failures:
        sys.exit(1)


if __name__ == "__main__":
    main()
