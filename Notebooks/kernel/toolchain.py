"""Finds what Swift cells need: the toolchain, LLDB with the Python it was built with, and this package as a library."""

import glob
import json
import os
import platform
import re
import shutil
import subprocess
import sys

PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PRODUCT = "ResidualLearningDynamic"
IS_MAC = platform.system() == "Darwin"


class Missing(Exception):
    """Something that is needed is not there; the message says in one sentence what."""


def output_of(*command, **options):
    """What a command prints, or None when it fails or does not exist."""
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout
    except (OSError, subprocess.CalledProcessError):
        return None


class Toolchain:
    """A Swift toolchain: `swift` is the path of the command, `usr` the folder with bin and lib, `lldb` the debugger.

    The environment variable RESNET_SWIFT, the path of a `swift`, goes before the PATH.
    """

    def __init__(self):
        self.swift = os.environ.get("RESNET_SWIFT") or shutil.which("swift")
        # Not the folder of `swift`: that may be a link to a version manager, or a stub of Xcode.
        info = self.swift and output_of(self.swift, "-print-target-info")
        if not info:
            raise Missing("there is no Swift toolchain: the command `swift` is not on the PATH or does not run")
        resources = json.loads(info)["paths"]["runtimeResourcePath"]  # …/usr/lib/swift
        self.usr = os.path.dirname(os.path.dirname(resources))
        self.lldb = os.path.join(self.usr, "bin", "lldb")
        if not os.path.exists(self.lldb) and IS_MAC:
            self.lldb = (output_of("xcrun", "--find", "lldb") or "").strip()
        if not os.path.exists(self.lldb):
            raise Missing("this Swift toolchain has no lldb")

    def lldb_environment(self):
        """Environment variables with which LLDB finds the Python it was built with."""
        library = self.missing_python()
        if library is None:
            return {}
        version = re.search(r"\d+\.\d+", library).group()
        for home in python_homes(version):
            folder = os.path.join(home, "lib")
            if os.path.exists(os.path.join(folder, library)) and os.path.isdir(os.path.join(folder, f"python{version}")):
                return {"LD_LIBRARY_PATH": with_folders("LD_LIBRARY_PATH", [folder]), "PYTHONHOME": home}
        raise Missing(
            f"LLDB needs {library}, which is not installed: install Python {version} with its shared library, or set "
            f"RESNET_PYTHON to the folder that has it as lib/{library}")

    def missing_python(self):
        """The name of the libpython that LLDB needs and the system does not find, or None."""
        if IS_MAC:
            return None
        library = os.path.join(self.usr, "lib", "liblldb.so")
        found = re.search(r"(libpython\S+) => not found", output_of("ldd", library) or "")
        return found.group(1) if found else None

    def check(self):
        """Raises Missing unless LLDB starts, runs Python and may debug a program."""
        command = [self.lldb, "--no-lldbinit", "--batch", "-o"]
        environment = {**os.environ, **self.lldb_environment()}
        printed = output_of(*command, "script print(6 * 7)", env=environment)
        if "42" not in (printed or "").split():
            raise Missing("LLDB does not run Python here: `lldb -o 'script print(6 * 7)'` does not print 42")
        # macOS protects its own programs, so there is none to try it with.
        if not IS_MAC and "exited with status = 0" not in (output_of(*command, "run", "/bin/true", env=environment) or ""):
            raise Missing("LLDB may not debug programs here: `lldb --batch -o run /bin/true` does not exit with status 0")

    def build(self):
        """Builds this package's library, in release mode, and returns the folder it is in."""
        command = [self.swift, "build", "--package-path", PACKAGE, "-c", "release"]
        built = subprocess.run(
            command + ["--product", PRODUCT], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if built.returncode != 0:
            raise Missing(f"the library {PRODUCT} cannot be built:\n{built.stdout}")
        return output_of(*command, "--show-bin-path").strip()

    def cell_settings(self, directory):
        """What worker.py wants to know first. Builds the library if need be."""
        build = self.build()
        library = os.path.join(build, f"lib{PRODUCT}." + ("dylib" if IS_MAC else "so"))
        variable = "DYLD_LIBRARY_PATH" if IS_MAC else "LD_LIBRARY_PATH"
        runtime = os.path.join(self.usr, "lib", "swift", "macosx" if IS_MAC else "linux")
        environment = dict(os.environ)
        environment[variable] = with_folders(variable, [build] if IS_MAC else [build, runtime])
        return {
            "modules": [os.path.join(build, "Modules")],
            "libraries": [library],
            "directory": directory,
            "environment": environment,
        }


def python_homes(version):
    """Folders where a Python of this version, such as "3.10", may be installed."""
    home = os.path.expanduser("~")
    pyenv = os.environ.get("PYENV_ROOT", os.path.join(home, ".pyenv"))
    patterns = [
        os.environ.get("RESNET_PYTHON", ""),
        sys.base_prefix,
        os.path.join(pyenv, "versions", version + "*"),
        os.path.join(home, ".local/share/uv/python", f"cpython-{version}*"),
        os.environ.get("CONDA_PREFIX", ""),
        os.path.join(home, "*conda*"),
        os.path.join(home, "*conda*/envs/*"),
        os.path.join(home, "*forge*"),
        os.path.join(home, "*forge*/envs/*"),
        "/usr",
        "/usr/local",
        "/opt/python*",
        "/opt/*conda*",
    ]
    return [path for pattern in patterns if pattern for path in sorted(glob.glob(pattern), reverse=True)]


def with_folders(variable, folders):
    """The value of a search path with some folders in front."""
    before = os.environ.get(variable)
    return os.pathsep.join(folders + ([before] if before else []))


if __name__ == "__main__":
    # Exit status 1 and a sentence when notebooks cannot run here.
    try:
        Toolchain().check()
    except Missing as problem:
        sys.exit(str(problem))
