"""Runs the reference's command line many times in a third of the time: a process that has imported what the reference
imports, and forks for each call. Run as a program (by the reference's own Python) it is that process; imported, it is
the way to it."""
import importlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
import warnings
from pathlib import Path


class Reference:
    """The calls; one at a time."""

    def __init__(self, command):
        self.command = str(command)
        python = Path(command).parent / "python"
        # In a folder without modules of its own, so that the import path holds none but the reference's.
        self.process = subprocess.Popen([str(python), "-P", str(Path(__file__).resolve())], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def run(self, words, environment, stdin):
        """The exit status and what was written to either stream."""
        with tempfile.NamedTemporaryFile("w") as given, tempfile.NamedTemporaryFile("r") as written:
            given.write(stdin)
            given.flush()
            call = {"argv": [self.command, *words], "environment": environment, "stdin": given.name,
                    "stdout": written.name}
            self.process.stdin.write(json.dumps(call) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
            assert answer, "the reference's process has ended"
            return int(answer), written.read()

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()


def import_dependencies():
    """All modules that the reference's command line brings in but its own, which read the environment when they are
    imported."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with tempfile.TemporaryDirectory() as home:
            os.environ["PREFECT_HOME"] = home
            import prefect.cli  # noqa: F401
            names = [name for name in sys.modules if name.partition(".")[0] not in ("prefect", "__main__")]
            os.write(writing, " ".join(names).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "r") as names:
        wanted = names.read().split()
    os.waitpid(child, 0)
    for name in wanted:
        try:
            importlib.import_module(name)
        except Exception:  # some cannot be imported by that name; the call will import them as it does
            continue


def be_the_command(call):
    for number, name, flags in ((0, "stdin", os.O_RDONLY), (1, "stdout", os.O_WRONLY | os.O_APPEND)):
        file = os.open(call[name], flags)
        os.dup2(file, number)
        os.close(file)
    os.dup2(1, 2)
    os.environ.clear()
    os.environ.update(call["environment"])
    warnings.simplefilter(call["environment"].get("PYTHONWARNINGS", "default"))
    sys.argv = call["argv"]
    from prefect.cli import app
    app()


def call_in_child(call):
    status = 0
    try:
        be_the_command(call)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def main():
    import_dependencies()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            call_in_child(json.loads(line))
        _, ended = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(ended), flush=True)


if __name__ == "__main__":
    main()
