"""WebSockets byte by byte, so that a test can send what no library sends."""
import base64
import hashlib
import os
import socket
import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
CONTINUATION = 0
KEY = base64.b64encode(bytes(range(16))).decode()
TIMEOUT = 30


def frame(opcode, payload=b"", fin=True, reserved=0, masked=True, length=None, size=None):
    """A frame of a client's. `length`: what it claims to have; `size`: the bytes (0, 2 or 8) in which it says so."""
    length = len(payload) if length is None else length
    if size is None:
        size = 0 if length < 126 else 2 if length < 1 << 16 else 8
    head = bytes([fin << 7 | reserved << 4 | opcode, masked << 7 | {0: length, 2: 126, 8: 127}[size]])
    head += length.to_bytes(size, "big") if size else b""
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def close_frame(code, reason=b""):
    return frame(CLOSE, struct.pack("!H", code) + reason)


def request(path, method="GET", version="1.1", host="127.0.0.1", **headers):
    """A handshake. A header that is None is left out, one that is a list comes several times."""
    wanted = {"Host": host, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": KEY,
              "Sec-WebSocket-Version": "13"} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {path} HTTP/{version}"]
    for name, value in wanted.items():
        lines += [f"{name}: {one}" for one in (value if isinstance(value, list) else [value]) if one is not None]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def accept_of(key=KEY):
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    return base64.b64encode(digest).decode()


class Wire:
    """A connection. What is read is a frame as (opcode, payload), or None where the server has ended it."""

    def __init__(self, port, buffer=None):
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect(("127.0.0.1", port))
        self.status, self.headers, self.rest = None, {}, b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # it is over; what is read tells how it ended

    def more(self):
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionError:
            data = b""
        self.rest += data
        return bool(data)

    def take(self, n):
        while len(self.rest) < n:
            if not self.more():
                return None
        taken, self.rest = self.rest[:n], self.rest[n:]
        return taken

    def open(self, path, **options):
        self.send(request(path, **options))
        return self.read_head()

    def read_head(self):
        """The answer to a handshake; a status of None if there is none."""
        while b"\r\n\r\n" not in self.rest:
            try:
                if not self.more():
                    return self
            except TimeoutError:
                return self
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        return self

    def read(self):
        head = self.take(2)
        if head is None:
            return None
        assert not head[1] & 0x80, "a server's frame is masked"
        assert head[0] & 0x80 and not head[0] & 0x70, f"not a plain frame: {head!r}"
        length = head[1] & 0x7F
        size = {126: 2, 127: 8}.get(length, 0)
        length = int.from_bytes(self.take(size), "big") if size else length
        return head[0] & 0x0F, self.take(length)

    def read_text(self):
        opcode, payload = self.read()
        assert opcode == TEXT, (opcode, payload)
        return payload.decode()

    def read_end(self):
        """What comes until the end, as texts: "text hi", "pong 616263", "close 1000 bye", "end"; "nothing": no end."""
        found = []
        try:
            while (one := self.read()) is not None:
                found.append(describe(*one))
                if one[0] == CLOSE:
                    return found
        except TimeoutError:
            return found + ["nothing"]
        return found + ["end"]


def describe(opcode=None, payload=b""):
    if opcode is None:
        return "end"
    if opcode == CLOSE:
        code, = struct.unpack("!H", payload[:2]) if payload else (None,)
        return " ".join(str(part) for part in ("close", code, payload[2:].decode()) if part)
    if opcode == TEXT:
        return f"text {payload.decode()}"
    return f"{ {BINARY: 'binary', PING: 'ping', PONG: 'pong'}[opcode]} {payload.hex()}"
