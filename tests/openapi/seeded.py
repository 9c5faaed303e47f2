"""Some rows of every kind, made over HTTP, so that generated requests find what they ask for."""
from tests.conformance.generate import Generator
from tests.conformance.operations import Document
from tests.conformance.rows import Rows

# In this order, since later ones refer to earlier ones: (kind, operation, how many).
MADE = [
    ("flow", "POST /flows/", 3),
    ("block_type", "POST /block_types/", 2),
    ("block_schema", "POST /block_schemas/", 2),
    ("block_document", "POST /block_documents/", 3),
    ("work_pool", "POST /experimental/work_pools/", 2),
    ("pool_queue", "POST /experimental/work_pools/{work_pool_name}/queues", 2),
    ("work_queue", "POST /work_queues/", 2),
    ("deployment", "POST /deployments/", 3),
    ("flow_run", "POST /flow_runs/", 3),
    ("task_run", "POST /task_runs/", 3),
    ("concurrency_limit", "POST /concurrency_limits/", 2),
    ("saved_search", "PUT /saved_searches/", 2),
    ("policy", "POST /flow_run_notification_policies/", 2),
    (None, "POST /flow_runs/{id}/set_state", 3),
    (None, "POST /task_runs/{id}/set_state", 3),
    (None, "POST /logs/", 3),
    (None, "POST /experimental/work_pools/{work_pool_name}/workers/heartbeat", 1),
    (None, "POST /deployments/{id}/schedule", 1),
]
STATES = {"flow_run_state": "/flow_run_states/?flow_run_id=", "task_run_state": "/task_run_states/?task_run_id="}


def seeded(api, first=0):
    """What makes requests for the server: a Generator whose rows are on it. Their names are numbered from `first`
    on."""
    rows = Rows("seeded")
    rows.names = first
    generator = Generator(rows, Document(api.http.get(f"{api.server.root}/openapi.json").json()))
    operations = {operation.name: operation for operation in generator.document.operations}
    for kind, name, count in MADE:
        for _ in range(count):
            operation = operations[name]
            answer = api.request(operation.method, generator.path(operation), generator.minimal(operation))
            assert answer.status_code < 300, (name, answer.status_code, answer.text)
            if kind:
                remember(rows, kind, answer.json())
    for kind, path in STATES.items():
        for run in rows.all(kind.removesuffix("_state")):
            for state in api.read(f"{path}{run['id']}"):
                remember(rows, kind, state)
    return generator


def remember(rows, kind, row):
    rows.rows.setdefault(kind, {})[row["id"]] = row
