"""TLS to the database: what each `?ssl=` demands, with certificates that fit and such that do not."""
import datetime
import re
import time

import pytest

from tests.lib import postgres
from tests.lib.load import Client
from .certificates import Authority, install
from .session import Session

MARGIN = 8  # for a machine that is busy
SETTINGS = {"ORION_DATABASE_CONNECTIONS": "2", "PREFECT_ORION_BLOCKS_REGISTER_ON_START": "false"}
ENCRYPTED = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = current_database() " \
            "AND application_name = 'orion' AND ssl = {}"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls") / "known")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """An authority that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("tls") / "stranger")


@pytest.fixture(scope="module")
def cluster():
    with postgres.running() as own:
        own.create_database("tls")
        yield own


class Tls:
    """Servers on a cluster with a certificate, or on one without TLS."""

    def __init__(self, start, cluster, home):
        self.start, self.cluster, self.home = start, cluster, home

    def url(self, parameters, host="localhost", user="postgres"):
        return f"postgresql+asyncpg://{user}@{host}:{self.cluster.port}/tls?{parameters}"

    def serves(self, parameters, encrypted=True, **place):
        """A server with these parameters works, all of its connections encrypted or none."""
        server = self.start(self.url(parameters, **place), HOME=str(self.home), **SETTINGS)
        assert Client(server).flow()["id"]
        with Session(self.cluster, "tls") as look:
            assert look.one(ENCRYPTED.format(encrypted)) > 0
            assert look.one(ENCRYPTED.format(not encrypted)) == 0
        assert server.stop() == 0

    def refuses(self, parameters, said, **place):
        """A server with these parameters does not start, and says why in a line."""
        begun = time.monotonic()
        server = self.start(self.url(parameters, **place), wait=False, HOME=str(self.home), **SETTINGS)
        assert server.process.wait(60) not in (0, None) and time.monotonic() - begun < MARGIN
        told = server.log()
        assert re.search(f"^The database cannot be reached: .*{said}", told) and len(told.splitlines()) == 1, told


@pytest.fixture
def tls(start, cluster, tmp_path):
    """Servers have a home without libpq's ~/.postgresql."""
    return Tls(start, cluster, tmp_path)


@pytest.fixture(scope="module")
def plain(cluster):
    cluster.execute("postgres", "ALTER SYSTEM SET ssl = off")
    cluster.restart()


@pytest.fixture(scope="module")
def good(cluster, authority):
    """A certificate for localhost that the known authority signed."""
    cluster.execute("postgres", "ALTER SYSTEM SET ssl = on")
    cluster.execute("postgres", "ALTER SYSTEM SET ssl_ca_file = 'root.crt'")
    install(cluster, authority.server("localhost"), authority)


def test_a_server_without_tls(tls, plain, authority):
    for mode in ("disable", "allow", "prefer"):
        tls.serves(f"ssl={mode}", encrypted=False)
    for parameters in ("ssl=require", "sslmode=require", "ssl=true"):
        tls.refuses(parameters, "server does not support SSL, but SSL was required")
    for mode in ("verify-ca", "verify-full"):
        tls.refuses(f"ssl={mode}&sslrootcert={authority.file}", "server does not support SSL, but SSL was required")


def test_the_modes_of_a_server_with_tls(tls, good, authority):
    tls.serves("ssl=disable", encrypted=False)
    tls.serves("ssl=allow", encrypted=False)  # as long as the server does not insist
    for parameters in ("ssl=prefer", "", "ssl=require", "sslmode=require"):
        tls.serves(parameters)
    for mode in ("verify-ca", "verify-full"):
        tls.serves(f"ssl={mode}&sslrootcert={authority.file}")


def test_a_server_that_takes_nothing_but_tls(tls, good, cluster):
    """As pg_hba.conf may say."""
    rules = cluster.data / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text("local all all trust\nhostssl all all all trust\n")
    try:
        cluster.restart()
        # the test's own session comes by the socket, since it does not speak TLS
        tls.refuses("ssl=disable", "no pg_hba.conf entry for host .*no encryption")
        for mode in ("allow", "prefer", "require"):
            server = tls.start(tls.url(f"ssl={mode}"), HOME=str(tls.home), **SETTINGS)
            assert Client(server).flow()["id"]
            assert server.stop() == 0
    finally:
        rules.write_text(before)
        cluster.restart()


def test_a_name_that_is_not_the_certificates(tls, good, authority):
    known = f"sslrootcert={authority.file}"
    tls.refuses(f"ssl=verify-full&{known}", 'server certificate for "localhost" .*does not match host name "127.0.0.1"',
                host="127.0.0.1")
    tls.serves(f"ssl=verify-ca&{known}", host="127.0.0.1")
    tls.serves("ssl=require", host="127.0.0.1")
    # the name of the URL is what counts, by whatever address it was reached
    tls.refuses(f"ssl=verify-full&{known}&hostaddr=127.0.0.1",
                'server certificate for "localhost" .*does not match host name "db.example"', host="db.example")
    tls.serves(f"ssl=verify-full&{known}&hostaddr=127.0.0.1")


def test_an_authority_that_is_not_known(tls, good, stranger, authority):
    for mode in ("require", "verify-ca", "verify-full"):  # require too, once there is a file of authorities
        tls.refuses(f"ssl={mode}&sslrootcert={stranger.file}", "certificate verify failed")
    for mode in ("verify-ca", "verify-full"):
        tls.refuses(f"ssl={mode}", "root certificate file .* does not exist")
    folder = tls.home / ".postgresql"
    folder.mkdir()
    (folder / "root.crt").write_bytes(authority.file.read_bytes())
    tls.serves("ssl=verify-full")
    (folder / "root.crt").write_bytes(stranger.file.read_bytes())
    tls.refuses("ssl=verify-full", "certificate verify failed")


def test_a_certificate_of_a_user(tls, good, cluster, authority, stranger):
    rules = cluster.data / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text("local all all trust\nhostssl all clerk all cert\nhost all all all trust\n")
    cluster.execute("postgres", "CREATE ROLE clerk SUPERUSER LOGIN")
    try:
        cluster.restart()
        certificate, key = authority.client("clerk")
        tls.serves(f"ssl=require&sslcert={certificate}&sslkey={key}", user="clerk")
        tls.refuses("ssl=require", "connection requires a valid client certificate", user="clerk")
        other, its_key = authority.client("somebody")
        tls.refuses(f"ssl=require&sslcert={other}&sslkey={its_key}", "certificate authentication failed", user="clerk")
        forged, its_key = stranger.client("clerk")
        tls.refuses(f"ssl=require&sslcert={forged}&sslkey={its_key}", "(unknown ca|Broken pipe|closed the connection)",
                    user="clerk")
    finally:
        rules.write_text(before)
        cluster.restart()


def test_a_certificate_that_is_over(tls, good, cluster, authority):
    install(cluster, authority.server("localhost", ends=-datetime.timedelta(days=1)), authority)
    for mode in ("verify-ca", "verify-full"):
        tls.refuses(f"ssl={mode}&sslrootcert={authority.file}", "certificate verify failed")
    tls.serves("ssl=require")  # encrypted, but by whom is not asked
