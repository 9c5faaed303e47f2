"""Each page is done as it says: its blocks of code, in order. And a page that is broken is found."""
import pytest

from tests.docs import pages, reader
from tests.docs.pages import Broken

# Blocks that are not tried, by page and first line, and why.
LEFT_OUT = {
    ("README.md", "make deb && sudo apt install ./build/orion_*.deb"): "tests/package does",
    ("README.md", "make run"): "installs packages and builds",
    ("README.md", "prefect config set PREFECT_API_URL=http://127.0.0.1:4200/api"): "docs/quickstart.md has a flow",
    ("docs/containers.md", "make container"): "tests/container does",
    ("docs/containers.md", "podman exec orion orion key create NAME"): "needs a container",
    ("docs/containers.md", "podman build --format docker -t orion -f packaging/Containerfile ."):
        "tests/container does",
    ("docs/containers.md", "cd packaging"): "needs Docker",
    ("docs/operating.md", "apt-get update && apt-get install -y --no-install-recommends tzdata"): "for other images",
    ("docs/operating.md", "sudo rm /etc/systemd/system/orion.service /usr/local/bin/orion"): "changes the machine",
    ("docs/performance.md", "make bench                                        # requests per second of both servers,"
     " with wrk"): "takes hours",
    ("docs/postgresql.md", "sudo apt install postgresql libpq5"): "tools/setup has installed it",
    ("docs/quickstart.md", "sudo apt update && sudo apt install make"): "tests/package does",
    ("docs/quickstart.md", "sudo apt install python3-venv python3-dev gcc"): "the tests have the client in .venv",
}
# Pages in which nothing can be tried, and why.
WITHOUT_CODE = {
    "README.md": "docs/quickstart.md does the same, step by step",
    "docs/README.md": "an index",
    "docs/commands.md": "made from the help of the commands",
    "docs/compatibility.md": "lists, which tests/api/test_openapi.py compares",
    "docs/containers.md": "needs a container",
    "docs/differences.md": "a list",
    "docs/durability.md": "names the tests that show what it says",
    "docs/performance.md": "figures",
    "docs/scaling.md": "figures",
    "docs/security.md": "names the tests that show what it says",
    "docs/services.md": "a list",
}


@pytest.mark.parametrize("path", pages.documentation(), ids=pages.name_of)
def test_a_page_does_what_it_says(path):
    tried = reader.read(path, LEFT_OUT)
    assert (tried == 0) == (pages.name_of(path) in WITHOUT_CODE), f"{tried} blocks were tried"


def test_what_is_left_out_is_there():
    titles = {block.title for path in pages.documentation() for block in pages.blocks(path)}
    assert set(LEFT_OUT) <= titles
    assert set(WITHOUT_CODE) <= {pages.name_of(path) for path in pages.documentation()}


def test_the_client_is_installed_as_for_the_tests():
    pinned = (pages.ROOT / "tests/requirements.txt").read_text().split("\n\n")[0].splitlines()[1:]
    block, = [block for block in pages.blocks(pages.ROOT / "docs/quickstart.md") if "pip install" in block.text]
    assert block.text.replace("\\\n", "").split("pip install ")[1].replace("'", "").split() == pinned


def page(folder, text):
    path = folder / "page.md"
    path.write_text(text)
    return path


GOOD = """# A page

```sh
cd /tmp
export NAME=value
```

```console
$ echo "$PWD $NAME" \\
    and more
/tmp value and more
$ date --utc --iso-8601=seconds; echo 17 MB; echo one; echo two
2001-02-03T04:05:06+00:00
16.5 MB
…
```

which has printed

```text
/tmp … and more
```

In `what/settings.toml`:

```toml
ORION_LOG_FORMAT = "json"
```

```sh
grep json ~/what/settings.toml
orion start
curl --fail --silent --show-error http://127.0.0.1:4200/api/health
```

```json
{"a": [1]}
```

```yaml
a: [1]
```
"""


def test_a_good_page_passes(tmp_path):
    assert reader.read(page(tmp_path, GOOD)) == 7


@pytest.mark.parametrize("text, said", [
    ("```sh\necho fine\n```\n\n```sh\necho then\nfalse\n```", "page.md:6: this ends with 1"),
    ("```sh\nno-such-command\n```", "no-such-command: command not found"),
    ("```sh\nsudo apt install nothing\n```", "apt would change the machine"),
    ("```sh\norion start --nothing\n```", "No such option"),
    ("```sh\nsudo systemctl start orion\norion start\n```", "is already in use"),
    ("```console\n$ echo one\ntwo\n```", "page.md:2: echo one\nshould print\ntwo\n\nbut prints\none"),
    ("```console\n$ echo one; echo two\none\n```", "should print"),
    ("```console\n$ echo 5 MB\n5 ms\n```", "should print"),
    ("```console\n$ echo one\n```", "should print"),
    ("```console\necho one\n```", "begins with $"),
    ("```sh\necho one\n```\n\n```text\ntwo\n```", "page.md:6: nothing on this page has printed\ntwo"),
    ("```toml\nORION_LOG_FORMAT = \"yaml\"\n```", "ORION_LOG_FORMAT"),
    ("```toml\nORION_LOG_FROMAT = \"text\"\n```", "there is no setting of this name"),
    ("```json\n{\n```", "page.md:2: Expecting"),
    ("```yaml\na: [\n```", "page.md:2: while parsing"),
    ("```yaml\nscrape_configs: 1\n```", "promtool says"),
    ("```python\nimport nothing_of_this_name\n```", "ModuleNotFoundError"),
    ("```nginx\nlocation / { proxy_pas http://127.0.0.1:4200; }\n```", "unknown directive"),
    pytest.param("```ini\n[Service]\nRestart=never-ever\nExecStart=nowhere\n```", "page.md:2: systemd-analyze says",
                 marks=pytest.mark.skipif(not reader.can_verify_units(), reason="systemd cannot judge units here")),
    ("```ruby\nputs 1\n```", "nobody knows how to try ruby"),
    ("```\nwhat\n```", "page.md:1: this block says no language"),
    ("As in\n\n    orion start\n", "page.md:3: code stands between"),
])
def test_a_broken_page_is_found(tmp_path, text, said):
    with pytest.raises(Broken) as error:
        reader.read(page(tmp_path, text))
    assert said in str(error.value)
