"""The socket on which a service manager (systemd, Type=notify) hears how its services are: sd_notify(3)."""
import os
import select
import socket
import time
import uuid


class ServiceManager:
    """`address` is for NOTIFY_SOCKET: a path, or without one a name in the abstract namespace, which a service finds
    from inside another root, too."""

    def __init__(self, path=None):
        self.address = str(path) if path else f"@orion-test-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.address.replace("@", "\0", 1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def next(self, timeout=30):
        """The lines of the next message; none if there is none within that many seconds."""
        readable, _, _ = select.select([self.socket], [], [], timeout)
        return self.socket.recv(4096).decode().split("\n") if readable else []

    def wait_for(self, line, timeout=30):
        """The lines of the next message with that one."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            if line in (lines := self.next(left)):
                return lines
        raise AssertionError(f"no {line} within {timeout} s")

    def forget(self):
        """Whatever has come until now."""
        while self.next(0):
            pass
