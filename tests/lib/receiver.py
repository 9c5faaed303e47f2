"""Stands in for the services that take notifications: a proxy through which both servers reach every host, and which
answers itself, over TLS with a certificate of its own that `environment` makes the servers trust."""
import contextlib
import socketserver
import ssl
import subprocess
import threading
import time

HOSTS = ["hooks.slack.com", "team.webhook.office.com", "outlook.office.com", "events.pagerduty.com", "api.twilio.com",
         "api.opsgenie.com"]
ANSWERS = {"events.pagerduty.com": 202, "api.twilio.com": 201, "api.opsgenie.com": 202}


def read_head(stream):
    lines = []
    while line := stream.readline().strip():
        lines.append(line.decode())
    return lines


class Connection(socketserver.StreamRequestHandler):
    def handle(self):
        with contextlib.suppress(OSError, IndexError):
            receiver = self.server.receiver
            host = read_head(self.rfile)[0].split()[1].split(":")[0]
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            receiver.connections += 1
            if receiver.silent:
                receiver.silent.wait(60)
                return
            with receiver.tls.wrap_socket(self.connection, server_side=True) as secure:
                self.answer(host, secure)

    def answer(self, host, secure):
        stream = secure.makefile("rb")
        first, *lines = read_head(stream)
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = stream.read(int(headers["content-length"]))
        self.server.receiver.requests.append({"host": host, "first": first, "headers": headers, "body": body.decode()})
        status = self.server.receiver.status or ANSWERS.get(host, 200)
        secure.sendall(f"HTTP/1.1 {status} x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok".encode())


class Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class Receiver:
    """`before`: words that go before the command that makes the certificate."""

    def __init__(self, folder, before=()):
        self.requests, self.connections, self.status, self.silent = [], 0, None, None
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        names = ",".join(f"DNS:{host}" for host in HOSTS)
        subprocess.run([*before, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                        "/CN=receiver", "-addext", f"subjectAltName={names}", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate, key)
        self.listener = Listener(("127.0.0.1", 0), Connection)
        self.listener.receiver = self
        self.environment = {"https_proxy": f"http://127.0.0.1:{self.listener.server_address[1]}",
                            "REQUESTS_CA_BUNDLE": str(certificate)}

    def __enter__(self):
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown()
        self.listener.server_close()

    @contextlib.contextmanager
    def silence(self):
        """Takes connections and says nothing."""
        self.silent = threading.Event()
        try:
            yield
        finally:
            self.silent.set()
            self.silent = None

    def wait(self, count, seconds=30):
        """That many requests; they are forgotten here."""
        wait_until(lambda: len(self.requests) >= count, seconds)
        time.sleep(0.1)
        taken, self.requests = self.requests, []
        return taken


def wait_until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.05)
    return found
