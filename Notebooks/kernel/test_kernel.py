"""Tests of the cells, the runner and what they are made of. They take some seconds and need what the notebooks need.

    python3 -m unittest discover Notebooks/kernel
"""

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

import client
import run
import toolchain

HERE = os.path.dirname(os.path.abspath(__file__))


def text_of(results):
    return "".join(result.text for result in results if isinstance(result, client.Text))


class CellTests(unittest.TestCase):
    """Cells in one Swift process."""

    @classmethod
    def setUpClass(cls):
        # A shell that runs this in the background ignores the interrupt, which two tests send.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        cls.session = client.Session(HERE)

    @classmethod
    def tearDownClass(cls):
        cls.session.close()

    def cell(self, code):
        return list(self.session.run(code))

    def failure(self, code):
        last = self.cell(code)[-1]
        self.assertIsInstance(last, client.Failure)
        return last

    def test_a_cell_uses_what_cells_before_it_declared(self):
        self.assertEqual(self.cell("let a = Tensor<Float>([2, 2], [1, 2, 3, 4])"), [])
        self.assertEqual(self.cell("func half(_ x: Float) -> Float { x / 2 }"), [])
        self.assertEqual(self.cell("half(a.sum)"), [client.Value("5.0")])
        self.assertEqual(self.cell("a"), [client.Value("[2, 2] Float\n[[1 2]\n [3 4]]")])

    def test_the_kernels_can_be_imported(self):
        self.assertEqual(self.cell("import ResidualKernels\nParallel.threads >= 1"), [client.Value("true")])

    def test_output_comes_in_order_and_whole(self):
        results = self.cell('for i in 0..<3000 { print(i, "γ") }')
        self.assertEqual(text_of(results), "".join(f"{i} γ\n" for i in range(3000)))

    def test_a_compile_error_names_the_line_and_leaves_the_state(self):
        self.cell("let kept = 7")
        error = self.failure("let fine = 1\nlet broken = nothing")
        self.assertIn("cell:2", error.text)
        self.assertIn("cannot find 'nothing' in scope", error.text)
        self.assertEqual(self.cell("kept"), [client.Value("7")])

    def test_a_trap_in_the_library_shows_the_precondition_and_leaves_the_state(self):
        self.cell("let one = Tensor<Float>([1])")
        error = self.failure("one + Tensor<Float>([1, 2])")
        self.assertIn("precondition(shape == other.shape", error.text)
        self.assertIn("cell:1", error.text)
        self.assertEqual(self.cell("one.sum"), [client.Value("1.0")])

    def test_an_error_that_nobody_catches_is_shown(self):
        error = self.failure('_ = try Picture(contentsOf: "no such file")')
        self.assertEqual(error.name, "Thrown")
        self.assertIn("cannot read no such file", error.text)

    def test_an_interrupt_stops_a_cell_and_leaves_the_state(self):
        self.cell("var count = 0")
        timer = threading.Timer(1, os.kill, [os.getpid(), signal.SIGINT])
        timer.start()
        self.assertEqual(self.failure("while true { count += 1 }").name, "Interrupted")
        self.assertEqual(self.cell("count > 0"), [client.Value("true")])

    def test_an_interrupt_waits_until_the_library_has_come_to_its_end(self):
        self.cell("var random = RandomGenerator(seed: 1)\nlet conv = Conv2D<Float>(16, 16, kernel: 3, using: &random)")
        self.cell("let images = Tensor<Float>(normal: [64, 32, 32, 16], using: &random)")
        for _ in range(3):
            timer = threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT])
            timer.start()
            self.assertEqual(self.failure("while true { _ = conv(images) }").name, "Interrupted")
            self.assertEqual(self.cell("conv(images).shape"), [client.Value("[64, 32, 32, 16]")])

    def test_a_crash_of_the_debugger_is_told_and_the_next_cell_starts_afresh(self):
        self.cell("let lost = 1")
        self.assertEqual(self.failure("func f() async -> Int { 3 }\nawait f()").name, "Died")
        self.assertIn("cannot find 'lost'", self.failure("lost").text)
        self.assertEqual(self.cell("Tensor<Float>([3]).sum"), [client.Value("3.0")])

    def test_pictures_are_told_from_text(self):
        before, picture, after = self.cell(
            'print("before")\ndisplay(Picture(height: 1, width: 2, grey: [0, 255]), scale: 3)\nprint("after")')
        self.assertEqual((before, after), (client.Text("before\n"), client.Text("after\n")))
        data = base64.b64decode(picture.data)
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual([int.from_bytes(data[i:i + 4], "big") for i in (16, 20)], [6, 3])

        plot = 'LinePlot(title: "loss", xLabel: "x", yLabel: "y", series: [.init("a", [(0, 0), (1, 1)], color: 0)])'
        [drawn] = self.cell(f"display({plot})")
        self.assertEqual(drawn.mime, "image/svg+xml")
        self.assertIn("loss", drawn.data)


class PartTests(unittest.TestCase):
    """What needs no Swift."""

    def test_a_picture_in_pieces_is_put_together(self):
        parts = client.OutputParts()
        found = []
        for character in "a\x1bdisplay image/png QUJD\x1bb\x1b[1mbold":
            found += parts.feed(character)
        found += parts.end()
        self.assertIn(client.Picture("image/png", "QUJD"), found)
        self.assertEqual(text_of(found), "ab\x1b[1mbold")

    def test_folders_go_before_those_of_the_environment(self):
        os.environ["SOME_FOLDERS"] = "/old"
        self.assertEqual(toolchain.with_folders("SOME_FOLDERS", ["/new", "/newer"]), "/new:/newer:/old")

    def test_every_digit_and_every_pixel_counts(self):
        def book(**output):
            return {"cells": [{"cell_type": "code", "metadata": {}, "outputs": [output]}]}

        def text(words):
            return book(output_type="stream", name="stdout", text=[words])

        def picture(data):
            return book(output_type="display_data", data={"image/png": data}, metadata={})

        self.assertEqual(run.differences(text("loss 2.31"), text("loss 2.31")), [])
        self.assertIn("+loss 2.32", run.differences(text("loss 2.31"), text("loss 2.32")))
        self.assertEqual(run.differences(picture("QUJD\n"), picture("QUJD")), [])
        self.assertNotEqual(run.differences(picture("QUJD"), picture("QUJE")), [])


class RunnerTests(unittest.TestCase):
    """run.py as a command."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "notebook.ipynb")

    def tearDown(self):
        self.folder.cleanup()

    def write(self, *sources):
        cells = [
            {"cell_type": "code", "execution_count": None, "id": f"c{i}", "metadata": {}, "outputs": [], "source": [source]}
            for i, source in enumerate(sources)]
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, file)

    def runner(self, *arguments):
        command = [sys.executable, os.path.join(HERE, "run.py"), *arguments, self.path]
        return subprocess.run(command, capture_output=True, text=True)

    def test_it_writes_outputs_and_then_finds_them_the_same(self):
        self.write("let a = 2", 'print("a is", a)\na + 1')
        self.assertEqual(self.runner("--check").returncode, 1)  # there are no outputs yet
        self.assertEqual(self.runner().returncode, 0)
        with open(self.path, encoding="utf-8") as file:
            outputs = json.load(file)["cells"][1]["outputs"]
        self.assertEqual(outputs[0]["text"], ["a is 2\n"])
        self.assertEqual(outputs[1]["data"]["text/plain"], ["3"])
        self.assertEqual(self.runner("--check").returncode, 0)

    def test_a_cell_that_fails_is_exit_status_1(self):
        self.write("nothing", 'print("not reached")')
        result = self.runner()
        self.assertEqual(result.returncode, 1)
        self.assertIn("cannot find 'nothing' in scope", result.stderr)


if __name__ == "__main__":
    unittest.main()
