#!/usr/bin/env python3
"""Tells Jupyter of the Swift kernel. Run it with the Python that Jupyter runs with, and again when this folder has moved.

It runs a cell first, so what is missing is said here and not in the notebook.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile

import client
from toolchain import Missing, Toolchain

NAME = "swift-residual-learning"
HERE = os.path.dirname(os.path.abspath(__file__))


def check():
    """Runs a cell. Raises Missing when that is not possible."""
    for module in ("ipykernel", "jupyter_client"):
        if importlib.util.find_spec(module) is None:
            raise Missing(f"{sys.executable} has no module {module}: install Jupyter for it, as with `pip install jupyterlab`")
    session = client.Session()
    try:
        results = list(session.run("Tensor<Float>([3]).sum"))
    finally:
        session.close()
    if results != [client.Value("3.0")]:
        raise Missing(f"a cell that should say 3.0 says {results}")


def install():
    """Writes the kernel's description where Jupyter looks for it."""
    specification = {
        "argv": [sys.executable, os.path.join(HERE, "swift_kernel.py"), "-f", "{connection_file}"],
        "display_name": "Swift (residual learning)",
        "language": "swift",
        "interrupt_mode": "signal",
        "env": {"RESNET_SWIFT": Toolchain().swift},  # Jupyter may be started where the PATH is another
    }
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "kernel.json"), "w", encoding="utf-8") as file:
            json.dump(specification, file, indent=1)
        command = [sys.executable, "-m", "jupyter_client.kernelspecapp", "install", "--user"]
        subprocess.run(command + ["--name", NAME, folder], check=True)


if __name__ == "__main__":
    try:
        check()
        install()
    except Missing as problem:
        sys.exit(f"install.py: {problem}")
