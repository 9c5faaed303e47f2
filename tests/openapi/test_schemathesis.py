"""schemathesis asks what /openapi.json describes, and whether the answers are as described.

In `make test` its cases are always the same; with ORION_TEST_FULL=1 there are more, from a random seed, which is
printed."""
import json
import os
import random
import shutil
import subprocess

import pytest

from tests.lib import servers
from tests.lib.api_client import Api
from .seeded import seeded

FULL = os.environ.get("ORION_TEST_FULL") == "1"
PROGRAM = servers.ROOT / ".venv-schemathesis/bin/schemathesis"
# Asked of the reference (15,476 cases on SQLite), these fail there too, for reasons that hold for ours: it is as
# lenient as pydantic (1,585 times), refuses names and combinations for reasons that a schema does not say (579), takes
# `GET /flows/filter` for `GET /flows/{id}` (46), and names one of a path's methods in Allow (33). It also fails those
# that ours must pass: 295 answers are 500, 1,270 have a status that is not described, and 891 a null that is not.
NOT_CHECKED = ["negative_data_rejection", "positive_data_acceptance", "unsupported_method", "allow_header_conformance"]
EMPTYING = "/api/admin/database/"  # nothing can be asked of what is left
LISTS = "/(filter|count|history)$"  # three quarters of all systematic cases, which the full run has
VERSION = "x-prefect-api-version: 0.8.4"  # any other text is a 400 before the rest of the request is looked at
# The identifiers of rows, for what has such a name in a path or a body.
KINDS = ["flow", "flow_run", "task_run", "deployment", "block_type", "block_schema", "block_document", "work_pool",
         "work_queue"]
PATHS = [("/api/flows/", "flow"), ("/api/flow_runs/", "flow_run"), ("/api/task_runs/", "task_run"),
         ("/api/deployments/", "deployment"), ("/api/block_types/", "block_type"),
         ("/api/block_schemas/", "block_schema"), ("/api/block_documents/", "block_document"),
         ("/api/work_queues/", "work_queue"), ("/api/flow_run_states/", "flow_run_state"),
         ("/api/task_run_states/", "task_run_state"), ("/api/saved_searches/", "saved_search"),
         ("/api/concurrency_limits/", "concurrency_limit"), ("/api/flow_run_notification_policies/", "policy")]


def dictionary(name, values):
    return [f"[dictionaries.{name}]", f"values = {json.dumps(values)}"]


def bound(key, name):
    return f'"{key}" = {{ dictionary = "{name}", probability = 0.8 }}'


def configuration(rows):
    """schemathesis.toml, by which most requests are about rows that there are."""
    columns = {(kind, column): [row[column] for row in rows.all(kind)] for kind in rows.rows
               for column in ("id", "name", "slug", "tag", "checksum") if rows.row(kind).get(column)}
    lines = [line for (kind, column), values in columns.items() for line in dictionary(f"{kind}_{column}", values)]
    lines += ["[parameters]", bound("path.work_pool_name", "work_pool_name"), bound("path.slug", "block_type_slug"),
              bound("path.flow_name", "flow_name"), bound("path.deployment_name", "deployment_name"),
              bound("path.block_document_name", "block_document_name"), bound("path.tag", "concurrency_limit_tag"),
              bound("path.checksum", "block_schema_checksum"), bound("path.name", "work_pool_name")]
    lines += [bound(f"{place}.{kind}_id", f"{kind}_id") for kind in KINDS for place in ("body", "query")]
    for path, kind in PATHS:
        lines += ["[[operations]]", f"include-path-regex = {json.dumps('^' + path)}", "[operations.parameters]",
                  bound("path.id", f"{kind}_id")]
        lines += [bound("path.name", f"{kind}_name")] if kind in ("flow", "work_queue") else []
    lines += ["[[operations]]", 'include-path-regex = "/queues/"', "[operations.parameters]",
              bound("path.name", "pool_queue_name")]
    return "\n".join(lines) + "\n"


def checked(server, folder, *options):
    """Runs it; its report."""
    assert PROGRAM.exists(), "tools/setup test makes its environment"
    report = folder / "report.json"
    command = [PROGRAM, "run", f"{server.root}/openapi.json", "--url", server.root, "--checks", "all",
               "--exclude-checks", ",".join(NOT_CHECKED), "--report", "json", "--report-json-path", report,
               "--request-timeout", "120", "--suppress-health-check", "all", "--no-color", "--header", VERSION]
    done = subprocess.run([*map(str, command), *options], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    assert report.exists() and report.stat().st_size, done.stdout[-20000:]
    found = json.loads(report.read_text())
    told = "\n".join([done.stdout[:20000], "…", done.stdout[-3000:]])
    assert (done.returncode, found["failures"], found["errors"]) == (0, [], []), told
    assert found["complete"] and found["operations"]["tested"] == found["operations"]["selected"], told
    return found


@pytest.fixture
def described(engine):
    with servers.running("orion", database=engine, PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS="true") as server:
        yield server


def test_each_value_that_a_schema_names(described, tmp_path):
    """Its systematic cases: for each part of each request the ends of what is allowed, and what is beyond them."""
    left_out = EMPTYING if FULL else f"^{EMPTYING}|{LISTS}"
    # What is refused is refused before any database is asked.
    mode = "all" if FULL or described.engine == "sqlite" else "positive"
    found = checked(described, tmp_path, "--phases", "examples,coverage", "--generation-deterministic", "--mode", mode,
                    "--exclude-path-regex", left_out)
    assert found["operations"]["selected"] == (104 if FULL else 82)
    assert found["test_cases"]["generated"] > {"all": 3000, "positive": 500}[mode]


def test_random_requests_about_rows_that_there_are(described, tmp_path):
    (tmp_path / "schemathesis.toml").write_text(configuration(seeded(Api(described)).world))
    seed = random.randrange(2**32) if FULL else 1
    print(f"seed {seed}")
    choice = ["--seed", str(seed), "--max-examples", "100"] if FULL \
        else ["--generation-deterministic", "--max-examples", "3", "--mode", "positive"]
    found = checked(described, tmp_path, "--phases", "fuzzing", "--exclude-path-regex", EMPTYING, *choice)
    assert found["operations"]["selected"] == 104
    accepted = {name for name, phases in found["valid_rates"].items() if phases["fuzzing"]["accepted"]}
    print(f"{len(accepted)} operations accepted a request")
    assert len(accepted) > 60, sorted(found["valid_rates"].keys() - accepted)
