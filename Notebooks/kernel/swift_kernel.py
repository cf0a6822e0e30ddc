"""A Jupyter kernel for Swift: what client.py yields, as Jupyter's messages."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from ipykernel.kernelapp import IPKernelApp  # noqa: E402
from ipykernel.kernelbase import Kernel  # noqa: E402

import client  # noqa: E402


class SwiftKernel(Kernel):
    """Cells run in a Swift process of this kernel's own, which starts with the first cell."""

    implementation = "swift-residual-learning"
    implementation_version = "1.0"
    language_info = {"name": "swift", "mimetype": "text/x-swift", "file_extension": ".swift"}
    banner = "Swift, with the library ResidualLearning"

    def __init__(self, **options):
        super().__init__(**options)
        self.swift = client.Session()

    def do_execute(self, code, silent, store_history=True, user_expressions=None, allow_stdin=False, **_):
        failure = None
        try:
            if code.strip():
                for result in self.swift.run(code):
                    if isinstance(result, client.Failure):
                        failure = result
                    elif not silent:
                        self.show(result)
        except client.Missing as problem:
            failure = client.Failure("Missing", str(problem))
        if failure is None:
            return {"status": "ok", "execution_count": self.execution_count, "payload": [], "user_expressions": {}}
        error = {"ename": failure.name, "evalue": failure.text, "traceback": failure.text.splitlines()}
        self.send("error", error)
        return {"status": "error", "execution_count": self.execution_count, **error}

    def show(self, result):
        """Sends text, a picture or a value to where it is seen."""
        if isinstance(result, client.Text):
            self.send("stream", {"name": "stdout", "text": result.text})
        elif isinstance(result, client.Picture):
            self.send("display_data", {"data": {result.mime: result.data}, "metadata": {}})
        else:
            data = {"text/plain": result.text}
            self.send("execute_result", {"execution_count": self.execution_count, "data": data, "metadata": {}})

    def send(self, kind, content):
        self.send_response(self.iopub_socket, kind, content)

    def do_shutdown(self, restart):
        self.swift.close()
        return {"status": "ok", "restart": restart}


if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=SwiftKernel)
