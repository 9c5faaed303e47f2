"""What must stay secret, of a server that logs as much as it can and meets errors: it is in no log line, and in no
answer but to those who ask for it."""
import json

import pytest

from tests.lib import postgres, servers
from tests.lib.load import Client

API_KEY, IN_BLOCK = "hush-api-key-72", "hush-block-73"
ENCRYPTION_KEY = "aHVzaC1lbmNyeXB0aW9uLWtleS03NC0tLS0tLS0tLS0="  # of 32 bytes


class Kept:
    """A server with every secret that settings and blocks have. `answers` is all that it answered."""

    def __init__(self, server, password):
        self.server, self.client = server, Client(server)
        self.secrets = [password, API_KEY, IN_BLOCK, ENCRYPTION_KEY.rstrip("=")]
        self.answers = []

    def ask(self, method, path, body=None):
        answer = self.client.request(method, path, body)
        self.answers.append(json.dumps(answer.value))
        return answer

    def leaks(self):
        return [secret for secret in self.secrets if any(secret in text for text in [self.server.log(), *self.answers])]


@pytest.fixture
def kept(start, tmp_path, engine):
    password = "hush-database-71"
    url = servers.Store.of_home(engine, tmp_path).url
    if engine == "postgresql":
        password = postgres.cluster().password or password  # one that is not asked for does no harm
        url = url.replace("://postgres@", f"://postgres:{password}@")
    server = start(PREFECT_ORION_DATABASE_CONNECTION_URL=url, PREFECT_ORION_DATABASE_PASSWORD=password,
                   PREFECT_API_KEY=API_KEY, ORION_ENCRYPTION_KEY=ENCRYPTION_KEY, PREFECT_LOGGING_SERVER_LEVEL="DEBUG",
                   PREFECT_ORION_DATABASE_ECHO="true")
    return Kept(server, password)


def document(kept):
    kind = kept.ask("POST", "/block_types/", {"name": "Safe", "slug": "safe"}).value
    schema = kept.ask("POST", "/block_schemas/", {"block_type_id": kind["id"], "fields": {
        "title": "Safe", "type": "object", "properties": {"code": {"type": "string", "format": "password"}},
        "secret_fields": ["code"], "block_schema_references": {}}}).value
    return kept.ask("POST", "/block_documents/", {
        "name": "safe", "data": {"code": IN_BLOCK}, "block_schema_id": schema["id"],
        "block_type_id": kind["id"]}).value["id"]


def test_secrets_are_in_no_log_and_no_answer(kept):
    path = f"/block_documents/{document(kept)}"
    for method, where, body in [
            ("GET", path, None), ("PATCH", path, {"data": {"code": IN_BLOCK}}), ("GET", "/admin/settings", None),
            ("GET", "/ready", None), ("POST", "/block_documents/filter", {}), ("GET", "/health", None)]:
        assert kept.ask(method, where, body).status in (200, 204)
    # who asks for it gets it, so that it was there to be kept
    assert kept.client.get(f"{path}?include_secrets=true").value["data"] == {"code": IN_BLOCK}
    assert "UPDATE block_document" in kept.server.log()
    assert kept.leaks() == []


def test_secrets_are_in_no_error(kept):
    path = f"/block_documents/{document(kept)}"
    kept.server.execute("UPDATE block_document SET data = '\"none\"'")
    assert kept.ask("GET", path).status == 500
    kept.server.execute("DROP TABLE block_document_reference")
    assert kept.ask("POST", "/block_documents/", {
        "name": "two", "data": {"code": IN_BLOCK}, "block_schema_id": "x", "block_type_id": "y"}).status == 422
    assert kept.ask("DELETE", path).status in (204, 500)
    kept.server.execute("DELETE FROM alembic_version")
    assert kept.ask("GET", "/ready").status == 503
    assert "not ready" in kept.server.log() and "decrypted" in kept.server.log()
    if kept.server.engine == "postgresql":
        cluster, name = postgres.cluster(), kept.server.store.name
        cluster.execute("postgres", f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        cluster.execute("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ?", name)
        assert kept.ask("GET", "/ready").status == 503
        cluster.execute("postgres", f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    # a 422 of the reference's shows the body that it got
    kept.answers = [answer for answer in kept.answers if "request_body" not in answer]
    assert kept.leaks() == []
