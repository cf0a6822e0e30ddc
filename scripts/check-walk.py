#!/usr/bin/env python3
"""Opens the page of `resnet trace --html` in Chromium and compares every number of every stop with Swift's.

    swift build -c release --product resnet
    scripts/check-walk.py .build/release/resnet [--screenshots DIR]

Swift's numbers come from `resnet trace --json`. The script needs Chromium and its driver (Debian: chromium,
chromium-driver) and nothing beyond Python's standard library. Without them it says so and ends with status 0, as
other checks in .ci/run do.
"""

import base64
import json
import math
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request


class Browser:
    """Chromium, driven over the WebDriver protocol."""

    def __init__(self, width, height, dark=False):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.driver = subprocess.Popen(
            ["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.address = f"http://127.0.0.1:{port}"
        self.session = None
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={width},{height}",
                 "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
        wanted = {"browserName": "chrome", "goog:chromeOptions": {"args": flags}, "goog:loggingPrefs": {"browser": "ALL"}}
        for _ in range(100):
            try:
                answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
                break
            except OSError:
                time.sleep(0.1)
        self.session = answer["sessionId"]
        media = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.devtools("Emulation.setEmulatedMedia", features=media)
        self.devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def call(self, method, path, body=None):
        path = f"/session/{self.session}{path}" if self.session else path
        request = urllib.request.Request(
            self.address + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as response:
            return json.load(response)["value"]

    def devtools(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def open(self, path):
        self.call("POST", "/url", {"url": pathlib.Path(path).resolve().as_uri()})

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def press(self, *keys):
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def errors(self):
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})
                if entry["level"] == "SEVERE"]

    def screenshot(self, path, whole=False):
        clip = {}
        if whole:
            height = self.run("return document.documentElement.scrollHeight")
            width = self.run("return innerWidth")
            clip = {"captureBeyondViewport": True,
                    "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}}
        image = self.devtools("Page.captureScreenshot", format="png", **clip)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(image))

    def close(self):
        try:
            self.call("DELETE", "")
        except OSError:
            pass
        self.driver.terminate()
        self.driver.wait()


LEFT, RIGHT, DOWN, ESCAPE = "\ue012", "\ue014", "\ue015", "\ue00c"


class Check:
    """Counts what was compared, and collects what failed."""

    def __init__(self):
        self.count = 0
        self.failures = []

    def __call__(self, condition, words):
        self.count += 1
        if not condition and len(self.failures) < 20:
            self.failures.append(words)


def swift_numbers(resnet, *options):
    """The tensors of `resnet trace --json` under the ids that the page's cells bear."""
    text = subprocess.run(
        [resnet, "trace", "--json", *options], check=True, capture_output=True, text=True).stdout
    walk = json.loads(text)
    stops = walk["stops"]
    forward = [stop for stop in stops if stop["phase"] == "forward"]
    number = {stop["name"]: k for k, stop in enumerate(forward)}
    tensors = {}
    for k, stop in enumerate(forward):
        row = stop["tensors"][0]
        tensors[f"v:{k}"], tensors[f"g:{k}"] = row["values"], row["gradients"]
    parameters = {row["name"]: n for n, row in enumerate(stops[-1]["tensors"])}
    for n, row in enumerate(stops[-1]["tensors"]):
        tensors[f"n:{n}"], tensors[f"s:{n}"] = row["values"], row["gradients"]
    for stop in stops:
        if stop["phase"] != "backward":
            continue
        for row in stop["tensors"]:
            if row["name"] in parameters:
                n = parameters[row["name"]]
                tensors[f"p:{n}"], tensors[f"q:{n}"] = row["values"], row["gradients"]
            elif stop["name"] in number:
                tensors[f"c:{number[row['name']]}:{number[stop['name']]}"] = row["gradients"]
    shapes = {stop["name"]: stop["tensors"][0]["shape"] for stop in forward}
    return walk, tensors, shapes


def agrees(text, value):
    """Whether a cell's few characters are the number, rounded."""
    if text == "≈0":
        return abs(value) < 1e-11
    shown = float(text.replace("−", "-"))
    if shown == 0:
        return value == 0
    digits = text.replace("−", "-").lstrip("-")
    if "e" in digits:
        unit = 10.0 ** int(digits.split("e")[1])
    else:
        unit = 10.0 ** -len(digits.split(".")[1]) if "." in digits else 1
    return abs(shown - value) <= 0.5000001 * unit + 1e-5 * abs(value)


CELLS = """
  return [...document.querySelectorAll("#tensors .tensor[data-tensor]")].map((view) => ({
    id: view.dataset.tensor, words: view.querySelector("p").textContent,
    cells: [...view.querySelectorAll("td")].map((cell) =>
      [Number(cell.dataset.i), cell.textContent, cell.className, cell.getAttribute("aria-label")]),
  }))"""

# The largest difference between a number and the sum of its terms, relative to the largest term.
SUMS = """
  let worst = 0, count = 0;
  for (const id of arguments[0]) {
    tensor(id).numbers.forEach((x, i) => {
      const made = terms(id, i);
      if (!made) return;
      const values = made.map(termValue), scale = Math.max(Math.abs(x), ...values.map(Math.abs), 1e-9);
      worst = Math.max(worst, Math.abs(values.reduce((a, b) => a + b, 0) - x) / scale);
      count += 1;
    });
  }
  return [worst, count]"""

# What is wider than the window or than its box, and what has no name for a screen reader.
FAULTS = """
  const faults = [];
  if (document.documentElement.scrollWidth > innerWidth) faults.push("the page is wider than the window");
  for (const cell of document.querySelectorAll("td[data-i]")) {
    if (cell.scrollWidth > cell.clientWidth + 1) faults.push(`a cell's number is too wide: ${cell.textContent}`);
  }
  for (const part of document.querySelectorAll("button, select, input, table[role=grid], section, nav")) {
    const name = part.getAttribute("aria-label") || part.textContent.trim() || part.labels?.[0]?.textContent;
    if (!name && part.id !== "mistake") faults.push(`no name: ${part.outerHTML.slice(0, 80)}`);
  }
  const boxes = [...document.querySelectorAll("#text, #tensors .tensor, #code pre, .question, .museum")]
    .filter((box) => box.getClientRects().length);
  for (const a of boxes) for (const b of boxes) {
    if (a === b || a.contains(b) || b.contains(a)) continue;
    const [p, q] = [a.getBoundingClientRect(), b.getBoundingClientRect()];
    const overlap = Math.min(p.right, q.right) - Math.max(p.left, q.left) > 1
      && Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 1;
    if (overlap) faults.push(`${a.id || a.className} and ${b.id || b.className} overlap`);
  }
  return faults"""


def answer(browser, check, number):
    """Answers the question of a stop, and expects that its results were hidden until then."""
    question = browser.run("return walk.stops[now.stop].question")
    hidden = browser.run("return document.querySelectorAll('#tensors td.hidden').length")
    if question is None:
        check(hidden == 0, f"stop {number}: cells are hidden without a question")
        return
    check(hidden > 0, f"stop {number}: the result is shown before it is asked for")
    if question["kind"] == "value":
        browser.run("document.querySelector('.question input').value = arguments[0]", question["answer"])
        browser.run("document.querySelector('.question input + button').click()")
    else:
        browser.run(
            "[...document.querySelectorAll('.question button')].find((b) => b.textContent === arguments[0]).click()",
            question["answer"])
    verdict = browser.run("return document.querySelector('.verdict').textContent")
    check(verdict.startswith("Right"), f"stop {number}: {question['answer']} is answered with {verdict}")
    left = browser.run("return document.querySelectorAll('#tensors td.hidden').length")
    check(left == 0, f"stop {number}: {left} cells stay hidden")


def compare_stop(browser, check, swift, number, sources):
    """Compares the cells, the sums and the marked lines of the current stop."""
    views = browser.run(CELLS)
    check(len(views) > 0, f"stop {number} shows no tensor")
    for view in views:
        values = swift.get(view["id"])
        if values is None:
            check(view["id"].split(":")[0] in ("t", "mu", "r"), f"stop {number}: Swift knows nothing of {view['id']}")
            continue
        for i, text, _, _ in view["cells"]:
            check(agrees(text, values[i]), f"stop {number}, {view['words']}, number {i}: {text}, Swift {values[i]}")
    worst, count = browser.run(SUMS, [view["id"] for view in views])
    check(worst < 2e-4, f"stop {number}: terms miss their number by {worst}")
    lines = browser.run(
        "return [...document.querySelectorAll('#code pre')].map((pre) => [pre.previousSibling.textContent, "
        "[...pre.querySelectorAll('.marked')].map((row) => row.textContent)])")
    for place, marked in lines:
        path, _ = place.split(":")
        source = sources.setdefault(path, pathlib.Path(path).read_text().split("\n"))
        for row in marked:
            line = row[:4].strip()
            digits = "".join(c for c in row[:4] if c.isdigit())
            code = row[len(digits):]
            check(source[int(digits) - 1].strip() == code.strip(), f"stop {number}: {place} is not {code} ({line})")
    return count


def check_stops(page, swift, walk, check):
    """Goes through the page with the arrow keys, answers every question, and compares every number."""
    sources = {}
    browser = Browser(1400, 900)
    try:
        browser.open(page)
        sums = 0
        for number in range(1, len(walk["stops"]) + 1):
            where = browser.run("return document.getElementById('where').textContent")
            check(where == f"{number} of {len(walk['stops'])}", f"stop {number} is called {where}")
            name = browser.run("return document.querySelector('h2').textContent")
            check(walk["stops"][number - 1]["name"] in name, f"stop {number} is {name}")
            answer(browser, check, number)
            sums += compare_stop(browser, check, swift, number, sources)
            if number < len(walk["stops"]):
                browser.press(RIGHT)
        browser.press(LEFT)
        check(browser.run("return now.stop") == len(walk["stops"]) - 2, "the left arrow does not go back")
        check(browser.errors() == [], f"the page's script complains: {browser.errors()}")
        return sums
    finally:
        browser.close()


def check_keyboard(browser, check):
    """A number in a grid is reached with the keyboard, and lights up what it was made of."""
    browser.run("go(10); reveal(null); document.querySelector('.tensor[data-tensor=\"v:10\"] td').focus()")
    browser.press(DOWN)
    browser.press(RIGHT)
    check(browser.run("return Number(document.activeElement.dataset.i)") == 36, "arrows do not move inside a grid")
    check(browser.run("return now.stop") == 10, "arrows inside a grid change the stop")
    lit = browser.run("return [...document.querySelectorAll('td.lit')].map((cell) => cell.dataset.i)")
    check(lit == ["36", "36"], f"a sum lights up {lit}")
    browser.press(ESCAPE)
    check(browser.run("return document.querySelectorAll('td.lit').length") == 0, "Escape leaves numbers lit")
    browser.run("document.getElementById('ask').click(); go(20)")
    check(browser.run("return document.querySelectorAll('.question, td.hidden').length") == 0, "asking stays on")


def check_mistakes(browser, check):
    """Every mistake of the list is at its stop, beside finite differences that differ from it."""
    names = browser.run("return walk.mistakes.map(({ name }) => name)")
    check(len(names) >= 20, f"only {len(names)} mistakes")
    for name in names:
        browser.run(
            "const s = document.getElementById('mistake'); s.value = arguments[0];"
            "s.dispatchEvent(new Event('change')); go(stopOfMistake(mistake()))", name)
        shown = browser.run(
            "return [...document.querySelectorAll('.museum .tensor')].map((view) => [view.dataset.tensor,"
            "[...view.querySelectorAll('td')].map((cell) => cell.textContent)])")
        pairs = list(zip(shown[::2], shown[1::2]))
        check(len(pairs) > 0, f"{name} shows no gradient")
        differ = any(wrong[1] != right[1] for wrong, right in pairs)
        check(differ, f"{name}: nothing differs from the finite differences")
        check(all(w[0].startswith("m:") and r[0][0] in "de" for w, r in pairs), f"{name}: {[p[0][0] for p in pairs]}")
        bars = browser.run("return document.querySelectorAll('.errors tr').length")
        check(bars > 0, f"{name} reaches nothing")
    browser.run("now.mistake = ''; draw()")


def check_plain(browser, check, plain, names):
    """The plain net's numbers beside the residual one's."""
    browser.run("document.getElementById('beside').click()")
    compared = 0
    for number in range(browser.run("return walk.stops.length")):
        browser.run("go(arguments[0])", number)
        for view in browser.run(CELLS):
            kind, k = view["id"].split(":")[:2]
            if kind not in "bhk":
                continue
            if kind == "k":
                values = plain["q:" + k]
            else:
                values = plain[("v:" if kind == "b" else "g:") + str(names[int(k)])]
            for i, text, _, _ in view["cells"]:
                check(agrees(text, values[i]), f"plain {view['words']}, number {i}: {text}, Swift {values[i]}")
                compared += 1
    check(compared > 1000, f"only {compared} numbers of the plain net")


def check_looks(page, check, folder):
    """Nothing is too wide or overlaps, on a phone and on a desk, in light and in dark."""
    for width, height in ((390, 844), (1400, 900)):
        for dark in (False, True):
            browser = Browser(width, height, dark)
            try:
                browser.open(page)
                for number in range(browser.run("return walk.stops.length")):
                    browser.run("go(arguments[0])", number)
                    faults = browser.run(FAULTS)
                    browser.run("reveal(null)")
                    faults += browser.run(FAULTS)
                    check(faults == [], f"stop {number + 1} at {width} pixels: {faults[:3]}")
                    if folder and number in (0, 4, 18, 36, 42, 64):
                        look = "dark" if dark else "light"
                        browser.screenshot(f"{folder}/stop-{number + 1:02}-{width}-{look}.png")
            finally:
                browser.close()


def arguments(usage):
    """The program and the folder of --screenshots, if one is given. Ends the script where there is no browser."""
    if len(sys.argv) < 2:
        sys.exit(usage)
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    if missing:
        print(f"skipped: there is no {' and no '.join(missing)}")
        sys.exit()
    folder = sys.argv[3] if sys.argv[2:3] == ["--screenshots"] else None
    if folder:
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    return sys.argv[1], folder


def main():
    resnet, folder = arguments(__doc__)
    check = Check()
    with tempfile.TemporaryDirectory() as work:
        page = f"{work}/walk.html"
        subprocess.run([resnet, "trace", "--html", page], check=True, stdout=subprocess.DEVNULL)
        size = pathlib.Path(page).stat().st_size
        check(size < 2_000_000, f"the page has {size} bytes")
        walk, swift, _ = swift_numbers(resnet)
        sums = check_stops(page, swift, walk, check)
        plain_walk, plain, _ = swift_numbers(
            resnet, "--network", "plain8", "--width", "4", "--size", "8")
        number = {stop["name"]: k for k, stop in enumerate(plain_walk["stops"]) if stop["phase"] == "forward"}
        names = [number.get(stop["name"]) for stop in walk["stops"] if stop["phase"] == "forward"]
        browser = Browser(1400, 900)
        try:
            browser.open(page)
            check_keyboard(browser, check)
            check_mistakes(browser, check)
            check_plain(browser, check, plain, names)
            check(browser.errors() == [], f"the page's script complains: {browser.errors()}")
        finally:
            browser.close()
        check_looks(page, check, folder)
    for failure in check.failures:
        print(failure, file=sys.stderr)
    print(f"{len(walk['stops'])} stops, {check.count} comparisons, {sums} sums of terms, {len(check.failures)} failed")
    if check.failures:
        sys.exit(1)


if __name__ == "__main__":
    main()
