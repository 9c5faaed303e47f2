"""One request, its answers, and the connection to one server: nothing is corrected on the way."""
import http.client
import json
import re
import shlex
import time
from dataclasses import dataclass, field

JSON = {"content-type": "application/json"}
IDLE = 2.0  # seconds after which a connection is not used again: the reference closes it after five
# An identifier in any of the forms that the servers read, with or without dashes, in either case.
IDENTIFIER = re.compile(
    r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}(-?)[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{12}(?![0-9A-Za-z])")


@dataclass
class Request:
    """`path` is what follows /api. `family` and `note` say where it comes from; `parts` is its parsed body, if it has
    one."""

    method: str
    path: str
    content: str | None = None
    headers: dict = field(default_factory=dict)
    family: str = ""
    note: str = ""

    @property
    def parts(self):
        return parsed(self.content)

    def translated(self, known):
        """The same for a server that calls its rows otherwise."""
        content = None if self.content is None else with_identifiers(self.content, known)
        return Request(self.method, with_identifiers(self.path, known), content, self.headers, self.family, self.note)

    def curl(self, url):
        words = ["curl", "-i", "-X", self.method, f"{url}{self.path}"]
        for name, value in self.headers.items():
            words += ["-H", f"{name}: {value}"]
        if self.content is not None:
            words += ["--data-raw", self.content]
        return shlex.join(words)


@dataclass
class Answer:
    status: int
    headers: dict
    text: str

    @property
    def json(self):
        return parsed(self.text)


def parsed(text):
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def canonical(identifier):
    plain = identifier.replace("-", "").lower()
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))


def with_identifiers(text, known):
    """The text with the identifiers that are known exchanged, in the form they have."""
    def exchanged(found):
        other = known.get(canonical(found[0]))
        if other is None:
            return found[0]
        other = other if found[1] else other.replace("-", "")
        return other.upper() if found[0] != found[0].lower() else other
    return IDENTIFIER.sub(exchanged, text)


class Wire:
    """A connection to one server."""

    def __init__(self, server):
        self.server = server
        self.connection = None
        self.used = 0.0

    def send(self, request):
        try:
            self.sent(request)
        except (ConnectionError, http.client.CannotSendRequest):  # closed meanwhile: the server has not seen it
            self.close()
            self.sent(request)

    def sent(self, request):
        if self.connection is None or time.monotonic() - self.used > IDLE:
            self.close()
            self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        content = None if request.content is None else request.content.encode()
        self.connection.putrequest(request.method, "/api" + request.path, skip_accept_encoding=True)
        for name, value in request.headers.items():
            self.connection.putheader(name, value)
        if content is not None or request.method in ("POST", "PUT", "PATCH"):
            self.connection.putheader("content-length", str(len(content or b"")))
        self.connection.endheaders(content)
        self.used = time.monotonic()

    def receive(self):
        try:
            return self.received()
        except (ConnectionError, http.client.HTTPException) as error:
            self.close()
            time.sleep(0.2)
            if self.server.process.poll() is not None:
                raise RuntimeError(f"The {self.server.kind} server died:\n{self.server.log()[-5000:]}") from None
            return Answer(0, {}, f"no answer: {error!r}")

    def received(self):
        answer = self.connection.getresponse()
        text = answer.read().decode("utf-8", "replace").replace(str(self.server.home), "HOME")
        headers = {name.lower(): value.replace(f"//127.0.0.1:{self.server.port}", "//host")
                   for name, value in answer.getheaders()}
        # the reference drops the connection after it, perhaps when the next request is under way
        if answer.status == 500:
            self.close()
        return Answer(answer.status, headers, text)

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None
