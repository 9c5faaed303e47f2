"""nginx and Caddy, the distribution's, in front of a server: on free ports, with all they need in a folder of their
own, configured by the examples in docs/access.md."""
import contextlib
import datetime
import ipaddress
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.lib import servers

NGINX = os.environ.get("NGINX", "/usr/sbin/nginx")
EXAMPLES = servers.ROOT / "docs/access.md"

NGINX_MAIN = """
daemon off; pid {folder}/pid; error_log {folder}/log; worker_processes 1; {user}
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    {servers}
}}
"""


def examples(language):
    """The blocks of the documentation in one of its languages, in order."""
    return re.findall(rf"```{language}\n(.*?)```", EXAMPLES.read_text(), re.DOTALL)


def replaced(text, *pairs):
    """Each pair is there, and its second one takes the place of its first one."""
    for old, new in pairs:
        assert old in text, f"{old!r} is not in the example:\n{text}"
        text = text.replace(old, new)
    return text


def make_certificate(folder, name):
    """For the name and 127.0.0.1; the files of certificate and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(),
                                          now - datetime.timedelta(hours=1), now + datetime.timedelta(days=1)) \
        .add_extension(names, critical=False).sign(key, hashes.SHA256())
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    return files


def wait_for(process, port, log):
    deadline = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process.poll() is None and time.monotonic() < deadline, log()
        time.sleep(0.05)


@contextlib.contextmanager
def running(command, folder, port, **environment):
    log = folder / "output"
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder,
                                   env={**os.environ, **environment})
    try:
        wait_for(process, port, lambda: "".join(path.read_text() for path in (log, folder / "log") if path.exists()))
        yield
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def nginx(*parts):
    """One with these `server` blocks, in which FOLDER stands for its own; gives the folder."""
    folder = Path(tempfile.mkdtemp(prefix="orion-nginx-"))
    try:
        make_certificate(folder, "orion.example")
        text = NGINX_MAIN.format(folder=folder, user="user root;" if os.geteuid() == 0 else "",
                                 servers="\n".join(parts).replace("FOLDER", str(folder)))
        (folder / "nginx.conf").write_text(text)
        port = int(re.search(r"listen 127\.0\.0\.1:(\d+)", text)[1])
        with running([NGINX, "-p", folder, "-e", folder / "log", "-c", folder / "nginx.conf"], folder, port):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def nginx_tls(server, port):
    """The first example for a server: at the root of its host, with TLS."""
    return replaced(examples("nginx")[0], ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
                    ("http://127.0.0.1:4200", server.root),
                    ("/etc/ssl/orion.example.pem", "FOLDER/certificate.pem"),
                    ("/etc/ssl/orion.example.key", "FOLDER/key.pem"))


def nginx_below(server, port, strip, header=True):
    """The second one: below /prefect, which is taken off or not, and told or not."""
    text = replaced(examples("nginx")[1], ("http://127.0.0.1:4200", server.root + ("/" if strip else "")))
    if not header:
        text = replaced(text, ("proxy_set_header X-Forwarded-Prefix /prefect;", ""))
    return f"server {{ listen 127.0.0.1:{port}; {text} location / {{ return 418; }} }}"
