"""A network between a server and PostgreSQL that can hang, say nothing, break, and break at the worst moment."""
import contextlib
import socket
import threading

COMMIT = b"COMMIT\0"
PIECE = 65536


class Link:
    """One connection through the proxy: two sockets, a thread for each direction."""

    def __init__(self, proxy, near):
        self.proxy, self.near = proxy, near
        self.far = socket.create_connection(("127.0.0.1", proxy.target))
        self.is_committing = self.is_forgotten = False
        for pump in (lambda: self.pump(near, self.far, self.request), lambda: self.pump(self.far, near, self.answer)):
            threading.Thread(target=pump, daemon=True).start()

    def pump(self, source, target, forward):
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE):
                self.proxy.flowing.wait()
                if not self.is_forgotten:
                    forward(data)
        self.proxy.flowing.wait()  # the end of a connection does not come through either
        self.close()

    def request(self, data):
        if self.proxy.record is not None:
            self.proxy.record.append(data)
        if COMMIT in data and self.proxy.cut == "hang":
            self.proxy.flowing.clear()
            self.proxy.flowing.wait()
        elif COMMIT in data and self.proxy.cut == "swallow":
            self.is_forgotten = True
        elif COMMIT in data and self.proxy.cut:
            if self.proxy.cut == "request":
                self.close()
                return
            self.is_committing = True
        self.far.sendall(data)

    def answer(self, data):
        if self.is_committing:  # none of its answer, or its first bytes
            self.near.sendall(data[:{"answer": 0, "within": 3}[self.proxy.cut]])
            self.close()
            return
        self.near.sendall(data)

    def close(self):
        for end in (self.near, self.far):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class Proxy:
    """Forwards to a port of 127.0.0.1. `flowing` cleared: nothing goes through, what comes is held; `is_mute`: new
    connections are taken and get no answer; `cut`: what happens to a COMMIT, "request": it does not arrive, "answer":
    its answer does not, "within": only the first bytes of it do, "hang": nothing goes through from it on, "swallow": it
    arrives, and nothing comes back on its connection, which stays open; `record`: a list that takes what the server
    sends."""

    def __init__(self, target):
        self.target, self.cut, self.record, self.is_mute = target, None, None, False
        self.flowing = threading.Event()
        self.flowing.set()
        self.links = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.flowing.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.drop()

    def listen(self):
        mute = []
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                if self.is_mute:
                    mute.append(near)
                    continue
                try:
                    self.links.append(Link(self, near))
                except OSError:  # nobody listens there
                    near.close()

    def forget(self):
        """As a firewall does: what is sent on the connections that there are goes nowhere, and nobody is told."""
        for link in self.links:
            link.is_forgotten = True

    def drop(self):
        """Every connection ends."""
        links, self.links = self.links, []
        for link in links:
            link.close()

    @contextlib.contextmanager
    def hanging(self):
        self.flowing.clear()
        try:
            yield
        finally:
            self.flowing.set()
