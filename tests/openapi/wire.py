"""Requests as bytes, so that they may hold what no HTTP client would send."""
import http.client
import json
import socket
import urllib.parse
from typing import NamedTuple


class Request(NamedTuple):
    """`path` is what stands in the first line, `headers` what follows it: both as bytes, as they are sent."""
    method: str
    path: bytes
    headers: dict = {}
    content: bytes | None = None

    def bytes(self, port):
        headers = {b"host": f"127.0.0.1:{port}".encode(), **self.headers}
        if self.content is not None:
            headers = {b"content-type": b"application/json", **headers}
            headers[b"content-length"] = str(len(self.content)).encode()
        lines = [b"%s %s HTTP/1.1" % (self.method.encode(), self.path), *(b"%s: %s" % one for one in headers.items())]
        return b"\r\n".join(lines) + b"\r\n\r\n" + (self.content or b"")


class Answer(NamedTuple):
    status: int
    headers: list
    content: bytes

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def json(self):
        return json.loads(self.content)


def written(body):
    """JSON, in which a lone surrogate is an escape."""
    return json.dumps(body).encode()


def as_bytes(text):
    return text.encode("utf-8", "surrogatepass")


def encoded(text):
    return urllib.parse.quote(as_bytes(text), safe="").encode()


class Connection:
    """To one server, kept while it keeps it."""

    def __init__(self, port):
        self.port, self.socket = port, None

    def ask(self, request, alone=False):
        """The answer. `alone`: on a connection of its own, as what is sent may be more than one request."""
        if alone:
            self.close()
        is_new = self.socket is None
        try:
            return self.sent(request)
        except (ConnectionError, http.client.HTTPException):  # closed meanwhile
            if is_new:
                raise
            return self.sent(request)
        finally:
            if alone:
                self.close()

    def sent(self, request):
        try:
            if self.socket is None:
                self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=120)
            self.socket.sendall(request.bytes(self.port))
            answer = http.client.HTTPResponse(self.socket, method=request.method)
            answer.begin()
            content = answer.read()
        except BaseException:
            self.close()
            raise
        if answer.will_close:
            self.close()
        return Answer(answer.status, answer.getheaders(), content)

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None
