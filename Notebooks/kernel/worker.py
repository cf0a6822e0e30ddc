"""Evaluates Swift cells in one live process. Runs in the Python inside LLDB; client.py starts it and talks to it.

Both sides send JSON objects, one a line, over a socket whose number is in the environment variable SWIFT_CELLS_SOCKET.

    client first     {"modules": [folder], "libraries": [file], "directory": folder, "environment": {name: value}}
    worker answers   {"kind": "ready"} or {"kind": "failed", "text": why}
    client then      {"do": "run", "code": a cell}, {"do": "interrupt"}, {"do": "quit"}
    worker           during a cell {"kind": "output", "text": what it prints},
                     at its end {"kind": "done", "text": its value or null} or
                     {"kind": "error", "name": what went wrong in a word, "text": the same at length}
"""

import codecs
import json
import os
import re
import signal
import socket
import threading

import lldb

# LLDB's code for "the cell ran and has no value": not a failure.
NO_VALUE = 0x1001

# Where LLDB says a cell's code stands: a temporary file that is of no interest.
CELL_FILE = re.compile(r"[\w./-]*/repl\d+-\w+\.+\w+(?=:\d)")


class Worker:
    """A Swift process under a debugger, and the socket to the client."""

    def __init__(self, link):
        self.link = link
        self.sending = threading.Lock()
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def send(self, **message):
        with self.sending:
            self.link.sendall((json.dumps(message) + "\n").encode())

    def launch(self, settings):
        """Starts LLDB's `repl_swift`, stops it at its first function and loads the libraries into it.

        Returns None, or what went wrong.
        """
        # A debugger of our own: the event thread of the one that runs this script would swallow the output.
        debugger = lldb.SBDebugger.Create(False)
        debugger.SetAsync(False)
        for folder in settings["modules"]:
            debugger.HandleCommand(f'settings append target.swift-module-search-paths "{folder}"')
        tools = lldb.SBHostOS.GetLLDBPath(lldb.ePathTypeSupportExecutableDir).fullpath
        program = os.path.join(tools, "repl_swift")
        self.target = debugger.CreateTarget(program)
        if not self.target.IsValid():
            return f"LLDB has no program to run cells in: there is no {program}"
        self.target.BreakpointCreateByName("repl_main")

        info = lldb.SBLaunchInfo([])
        info.SetWorkingDirectory(settings["directory"])
        info.SetEnvironmentEntries([f"{k}={v}" for k, v in settings["environment"].items()], False)
        error = lldb.SBError()
        self.process = self.target.Launch(info, error)
        self.pid = self.process.GetProcessID()
        for library in settings["libraries"]:
            if error.Success():
                self.process.LoadImage(lldb.SBFileSpec(library), error)
        # The runtime's list of variables in use lies on the stack, where a cell that is taken back would leave holes.
        for found in self.target.FindSymbols("_swift_disableExclusivityChecking"):
            self.process.WriteMemory(found.GetSymbol().GetStartAddress().GetLoadAddress(self.target), b"\1", lldb.SBError())
        return error.GetCString() if error.Fail() else None

    def serve(self, requests):
        """Does what the client asks for until it quits. Cells run on a thread of their own, so that one can be stopped."""
        for line in requests:
            request = json.loads(line)
            if request["do"] == "run":
                threading.Thread(target=self.run, args=(request["code"],), daemon=True).start()
            elif request["do"] == "interrupt":
                # A signal, at which LLDB stops. Its own interrupt sometimes stops the process once more, in the next cell.
                os.kill(self.pid, signal.SIGINT)
            else:
                return

    def run(self, code):
        """Runs a cell; sends its output while it comes, and its end."""
        finished = threading.Event()
        pump = threading.Thread(target=self.pump, args=(finished,), daemon=True)
        pump.start()
        try:
            value, problem = self.evaluate(code)
            finished.set()
            pump.join()
            self.send_output()
            if problem:
                end = {"kind": "error", "name": "SwiftError", "text": problem}
            elif value and value.GetName().startswith("$E"):  # LLDB's names for errors that nobody caught
                end = {"kind": "error", "name": "Thrown", "text": thrown_error(value)}
            else:
                end = {"kind": "done", "text": value and self.description(value)}
        except Exception as mistake:  # the client waits for an answer, whatever happens here
            end = {"kind": "error", "name": "WorkerError", "text": repr(mistake)}
        self.send(**end)

    def evaluate(self, code):
        """Runs code. Returns LLDB's variable with its value, and what went wrong; None where there is nothing."""
        options = lldb.SBExpressionOptions()
        options.SetLanguage(lldb.eLanguageTypeSwift)
        options.SetREPLMode(True)  # declarations stay, imports too, the last expression is the value
        options.SetUnwindOnError(False)  # where it stopped is worth a look
        options.SetGenerateDebugInfo(True)
        options.SetTimeoutInMicroSeconds(0)  # none
        options.SetStopOthers(False)
        options.SetTryAllThreads(True)
        value = self.target.EvaluateExpression(code, options)
        failure = value.GetError()
        if failure.Success():
            return value if value.GetName() else None, None
        if failure.value == NO_VALUE:
            return None, None
        problem = CELL_FILE.sub("cell", failure.GetCString() or "unknown error").strip()
        if "has been left at the point" in problem:
            problem = problem.splitlines()[0] + self.unwind("SIGINT" in problem)
        return None, problem

    def return_to_cell(self):
        """Lets library calls come to their end, so that none is cut off while it holds a lock or has threads at work."""
        for thread in self.process:
            frames = list(thread)
            cell = next((i for i, frame in enumerate(frames) if is_cell(frame)), 0)
            if cell > 0:
                thread.StepOutOfFrame(frames[cell - 1], lldb.SBError())
                return

    def unwind(self, is_interrupted):
        """Takes back a call that stopped in the middle. Returns the lines of Swift that it stopped in, to be printed.

        Release builds leave out a precondition's message; the line with the precondition says what it is about.
        """
        places = []
        for thread in self.process:
            if thread.GetStopReason() in (lldb.eStopReasonSignal, lldb.eStopReasonException):
                places += [source_line(frame.GetLineEntry()) for frame in thread if frame.GetLineEntry().IsValid()]
        if is_interrupted:
            self.return_to_cell()
        for thread in self.process:
            while thread.UnwindInnermostExpression().Success():
                pass
        return "".join("\n  " + place for place in dict.fromkeys(filter(None, places)))

    def description(self, value):
        """What Swift's `print` makes of a value."""
        self.evaluate(f"print({value.GetName()})")
        return self.output().rstrip("\n")

    def pump(self, finished):
        """Sends output twenty times a second until a cell is done."""
        while not finished.wait(0.05):
            self.send_output()

    def send_output(self):
        """Sends what the process has printed since the last time."""
        while text := self.output():
            self.send(kind="output", text=text)

    def output(self):
        """Something that the process has printed, or an empty text."""
        text = self.process.GetSTDOUT(65536) or self.process.GetSTDERR(65536)
        # LLDB cuts the bytes anywhere, so a character may be cut in two.
        return CELL_FILE.sub("cell", self.decoder.decode(text.encode("utf-8", "surrogateescape")))


def thrown_error(value):
    """An error as text: its type and what is in it. Swift code cannot name it, so `print` is no help."""
    text = str(value.GetDynamicValue(lldb.eDynamicCanRunTarget))  # "(Module.Type) $E0 = (message = "…")"
    return re.sub(r"^\(([^)]*)\) \$E\d+ = ", r"uncaught error \1: ", text)


def is_cell(frame):
    """Whether a frame is a cell's own code."""
    return (frame.GetLineEntry().GetFileSpec().GetFilename() or "").startswith("repl")


def source_line(entry):
    """A line of Swift with its file and number; None when there is no source."""
    file = entry.GetFileSpec()
    if file.GetFilename().startswith("repl"):
        return f"cell:{entry.GetLine()}"
    try:
        with open(file.fullpath, encoding="utf-8") as source:
            return f"{file.GetFilename()}:{entry.GetLine()}: {source.read().splitlines()[entry.GetLine() - 1].strip()}"
    except (OSError, IndexError):
        return None


def __lldb_init_module(debugger, _):
    """LLDB calls this when it has loaded the script."""
    number = int(os.environ["SWIFT_CELLS_SOCKET"])
    os.set_inheritable(number, False)
    link = socket.socket(fileno=number)
    requests = link.makefile("r", encoding="utf-8")
    worker = Worker(link)
    problem = worker.launch(json.loads(requests.readline()))
    if problem:
        worker.send(kind="failed", text=problem)
    else:
        worker.send(kind="ready")
        worker.serve(requests)
        os.kill(worker.pid, signal.SIGKILL)  # LLDB itself would wait for a cell that runs
    os._exit(0)  # LLDB would go on with its own commands
