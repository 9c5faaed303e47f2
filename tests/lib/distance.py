"""A network between a server and PostgreSQL that takes time, and counts round trips.

Run as a program it stands before a port of 127.0.0.1 and prints its own:
python -m tests.lib.distance PORT MILLISECONDS"""
import contextlib
import queue
import socket
import sys
import threading
import time

PIECE = 65536
QUIET = 0.15  # seconds without a byte after which an operation is over
PATIENCE = 60


class Distant:
    """Forwards to a port of 127.0.0.1; a byte arrives half of `round_trip` seconds after it was sent. `round_trips`
    counts how often somebody who had been answered sent something again, on any connection, the first time included:
    what is sent without waiting for an answer counts once."""

    def __init__(self, target, round_trip):
        self.target, self.delay, self.round_trips, self.connections = target, round_trip / 2, 0, 0
        self.last_byte = time.monotonic()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        self._start(self._listen)
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _start(self, work, *arguments):
        threading.Thread(target=work, args=arguments, daemon=True).start()

    def _listen(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                self.connections += 1
                turn = {"answered": True}
                for source, target, is_request in ((near, far, True), (far, near, False)):
                    source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    way = queue.SimpleQueue()
                    self._start(self._take, source, way, turn, is_request)
                    self._start(self._give, target, way)

    def _take(self, source, way, turn, is_request):
        data = b" "
        while data:
            data = b""
            with contextlib.suppress(OSError):
                data = source.recv(PIECE)
            with self.lock:
                self.last_byte = time.monotonic()
                if data and is_request and turn["answered"]:
                    self.round_trips += 1
                    turn["answered"] = False
            way.put((self.last_byte + self.delay, data, turn if not is_request else None))

    def _give(self, target, way):
        while True:
            due, data, turn = way.get()
            time.sleep(max(0, due - time.monotonic()))
            with contextlib.suppress(OSError):
                if not data:
                    target.shutdown(socket.SHUT_RDWR)
                    return
                if turn:
                    turn["answered"] = True
                target.sendall(data)

    def count(self, operation, *arguments):
        """What it gave, and the round trips of all that came of it."""
        before = self.round_trips
        result = operation(*arguments)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() - self.last_byte < self.delay * 2 + QUIET:
            assert time.monotonic() < deadline, "the connections do not become quiet"
            time.sleep(0.01)
        return result, self.round_trips - before


if __name__ == "__main__":
    with Distant(int(sys.argv[1]), int(sys.argv[2]) / 1000) as proxy:
        print(proxy.port, flush=True)
        sys.stdin.read()
