"""Two servers on one database behind nginx, configured as docs/postgresql.md says: one can go."""
import httpx

from tests.docs import pages
from tests.lib import postgres, proxies, servers

DATABASE = "docs_two_servers"


def configuration(port, *members):
    """The page's, on other ports."""
    block, = [block for block in pages.blocks(pages.ROOT / "docs/postgresql.md") if block.language == "nginx"]
    return proxies.replaced(block.text, ("listen 80;", f"listen 127.0.0.1:{port};"),
                            ("server 127.0.0.1:4200;", f"server 127.0.0.1:{members[0].port};"),
                            ("server 127.0.0.1:4201;", f"server 127.0.0.1:{members[1].port};"))


def test_the_proxy_passes_over_a_server_that_is_gone():
    cluster, port = postgres.cluster(), postgres.free_port()
    url = cluster.create_database(DATABASE)
    try:
        with servers.running("orion", database=url, ORION_ALLOWED_HOSTS="") as first, \
                servers.running("orion", database=url, ORION_ALLOWED_HOSTS="") as second, \
                proxies.nginx(configuration(port, first, second)), \
                httpx.Client(base_url=f"http://127.0.0.1:{port}/api", trust_env=False) as http:
            assert http.post("/flows/", json={"name": "before"}).status_code == 201
            first.stop()
            assert [http.get("/flows/name/before").status_code for _ in range(4)] == [200] * 4
            assert [http.post("/flows/", json={"name": f"after {i}"}).status_code for i in range(4)] == [201] * 4
    finally:
        cluster.drop_database(DATABASE)
