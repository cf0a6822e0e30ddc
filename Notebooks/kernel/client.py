"""Runs Swift cells, one after the other, in a process that keeps their declarations. Used by the kernel and the runner."""

import base64
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
from dataclasses import dataclass

from toolchain import Missing, Toolchain

HERE = os.path.dirname(os.path.abspath(__file__))

# How a cell shows a picture: it prints ESC "display", the MIME type and the data in base64, separated by spaces, and ESC.
PICTURE_START = "\x1bdisplay "
PICTURE = re.compile(r"\x1bdisplay ([\w/+.-]+) ([A-Za-z0-9+/=]*)\x1b")


@dataclass
class Text:
    """Something printed."""

    text: str


@dataclass
class Picture:
    """Something drawn: PNG data in base64, or the text of an SVG."""

    mime: str
    data: str


@dataclass
class Value:
    """The value of a cell's last expression."""

    text: str


@dataclass
class Failure:
    """The cell did not run to its end."""

    name: str
    text: str


class OutputParts:
    """Cuts a stream of output into text and pictures."""

    def __init__(self):
        self.pending = ""

    def feed(self, text):
        """The parts that are complete; the beginning of a picture waits for its end."""
        *pieces, rest = PICTURE.split(self.pending + text)  # text, MIME type, data, text, MIME type, data, …
        escape = rest.rfind("\x1b")
        is_start = escape >= 0 and (PICTURE_START.startswith(rest[escape:]) or rest[escape:].startswith(PICTURE_START))
        cut = escape if is_start else len(rest)
        self.pending = rest[cut:]
        for text, mime, data in zip(pieces[0::3], pieces[1::3], pieces[2::3]):
            if text:
                yield Text(text)
            yield Picture(mime, data if mime == "image/png" else base64.b64decode(data).decode())
        if rest[:cut]:
            yield Text(rest[:cut])

    def end(self):
        """What is left: text, since a picture would have ended."""
        if self.pending:
            yield Text(self.pending)
        self.pending = ""


class Session:
    """A Swift process that cells run in. When it dies, the next cell starts another one, without what was declared."""

    def __init__(self, directory="."):
        self.directory = os.path.abspath(directory)
        self.child = None

    def run(self, code):
        """Runs a cell and yields its Text, Picture, Value and Failure as they come.

        An interrupt (Ctrl-C, Jupyter's stop button) stops the cell; what was declared stays.

        Raises Missing when there is nothing to run cells with.
        """
        if self.child is None:
            self.start()
        self.send(do="run", code=code)
        parts = OutputParts()
        is_interrupted = False
        while True:
            try:
                message = self.receive()
            except KeyboardInterrupt:
                is_interrupted = True
                self.send(do="interrupt")
                continue
            if message is None:
                yield from parts.end()
                self.close()
                yield Failure(
                    "Died", "the Swift process died: what was declared is lost, and the next cell starts afresh\n"
                    "(`await` outside a function does that)")
                return
            if message["kind"] == "output":
                yield from parts.feed(message["text"])
                continue
            yield from parts.end()
            if message["kind"] == "error":
                yield Failure("Interrupted" if is_interrupted else message["name"], message["text"])
            elif message["text"]:
                yield Value(message["text"])
            return

    def start(self):
        """Starts LLDB with worker.py in it, and in that a Swift process that has read prelude.swift."""
        toolchain = Toolchain()
        environment = {**os.environ, **toolchain.lldb_environment()}
        environment.pop("PYTHONPATH", None)  # for another Python
        self.link, theirs = socket.socketpair()
        os.set_inheritable(theirs.fileno(), True)
        environment["SWIFT_CELLS_SOCKET"] = str(theirs.fileno())
        self.complaints = tempfile.TemporaryFile("w+")
        self.received = b""
        settings = toolchain.cell_settings(self.directory)
        self.child = subprocess.Popen(
            [toolchain.lldb, "--no-lldbinit", "--batch", "-o", f'command script import "{HERE}/worker.py"'],
            env=environment, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=self.complaints,
            stderr=self.complaints, start_new_session=True)  # so that Ctrl-C does not reach it
        theirs.close()
        self.send(**settings)
        answer = self.receive()
        if answer is None or answer["kind"] == "failed":
            self.complaints.seek(0)
            reason = answer["text"] if answer else self.complaints.read().strip()
            self.close()
            raise Missing(f"LLDB cannot run Swift cells: {reason}")
        with open(os.path.join(HERE, "prelude.swift"), encoding="utf-8") as prelude:
            for result in self.run(prelude.read()):
                if isinstance(result, Failure):
                    self.close()
                    raise Missing(f"prelude.swift does not run: {result.text}")

    def send(self, **message):
        try:
            self.link.sendall((json.dumps(message) + "\n").encode())
        except OSError:
            pass  # it died, as the next `receive` finds out

    def receive(self):
        """The worker's next message, or None when it died."""
        while b"\n" not in self.received:
            try:
                chunk = self.link.recv(65536)
            except ConnectionError:
                return None
            if not chunk:
                return None
            self.received += chunk
        line, _, self.received = self.received.partition(b"\n")
        return json.loads(line)

    def close(self):
        """Ends the Swift process, if there is one."""
        if self.child is None:
            return
        self.send(do="quit")
        try:
            self.child.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()
        self.link.close()
        self.complaints.close()
        self.child = None
