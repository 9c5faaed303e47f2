"""Certificates as a test wants them: authorities, and what they sign."""
import datetime
import ipaddress
import shutil

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

YEARS = datetime.timedelta(days=3650)


def subject(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


class Authority:
    """Writes NAME.pem and NAME.key to its folder; its own certificate is `file`."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder, self.name, self.key = folder, subject(f"Authority {folder.name}"), None
        self.file, _, self.key = self.make("ca", self.name, x509.BasicConstraints(ca=True, path_length=None))

    def make(self, file, name, extension, ends=YEARS):
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.utcnow()
        signed = x509.CertificateBuilder(
            self.name, name, key.public_key(), x509.random_serial_number(), now - YEARS, now + ends
        ).add_extension(extension, critical=True).sign(self.key or key, hashes.SHA256())
        paths = self.folder / f"{file}.pem", self.folder / f"{file}.key"
        paths[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))
        paths[1].chmod(0o600)
        return *paths, key

    def server(self, *names, ends=YEARS):
        """A certificate and its key for a server of these names and addresses."""
        alternatives = [x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
                        for name in names]
        return self.make("server", subject(names[0]), x509.SubjectAlternativeName(alternatives), ends)[:2]

    def client(self, user):
        """The same for a user of PostgreSQL."""
        return self.make(user, subject(user), x509.BasicConstraints(ca=False, path_length=None))[:2]


def install(cluster, files, authority):
    """The cluster's TLS has this certificate and key from its next connections on, and asks clients for certificates of
    the authority."""
    for source, name in zip((*files, authority.file), ("server.crt", "server.key", "root.crt")):
        target = cluster.data / name
        shutil.copy(source, target)
        if cluster.as_owner:
            shutil.chown(target, "postgres", "postgres")
        target.chmod(0o600)
    cluster.restart()
