"""What the tests of deployments share."""
from tests.lib.api_client import unique

DEPLOYMENT = ["id", "created", "updated", "name", "version", "description", "flow_id", "schedule", "is_schedule_active",
              "infra_overrides", "parameters", "tags", "work_queue_name", "parameter_openapi_schema", "path",
              "entrypoint", "manifest_path", "storage_document_id", "infrastructure_document_id", "created_by",
              "updated_by", "work_pool_name"]
EMPTY = {"version": None, "description": None, "schedule": None, "is_schedule_active": True, "infra_overrides": {},
         "parameters": {}, "tags": [], "work_queue_name": None, "parameter_openapi_schema": None, "path": None,
         "entrypoint": None, "manifest_path": None, "storage_document_id": None, "infrastructure_document_id": None,
         "created_by": None, "updated_by": None, "work_pool_name": None}
GONE = {"detail": "Deployment not found"}
HOURLY = {"interval": 3600.0, "anchor_date": "2024-01-01T00:00:00+00:00", "timezone": "UTC"}
POOL = "default-agent-pool"


def deploy(api, flow=None, status=201, **fields):
    return api.made("/deployments/", {"name": unique("deployment"), "flow_id": (flow or api.flow())["id"], **fields},
                    status)


def again(api, deployment, **fields):
    return deploy(api, {"id": deployment["flow_id"]}, 200, name=deployment["name"], **fields)


def plan(api, deployment, **body):
    answer = api.post(f"/deployments/{deployment['id']}/schedule", body)
    assert (answer.status_code, answer.text) == (200, "null")


def runs_of(api, deployment):
    return api.made("/flow_runs/filter",
                    {"deployments": {"id": {"any_": [deployment["id"]]}}, "sort": "EXPECTED_START_TIME_ASC"}, 200)


def starts(api, deployment):
    return [run["expected_start_time"] for run in runs_of(api, deployment)]


def document(api, **fields):
    block_type = api.made("/block_types/", {"name": unique("Type"), "slug": unique("type")})
    schema = api.made("/block_schemas/", {"fields": {"title": unique("Type"), "type": "object", "properties": {}},
                                          "block_type_id": block_type["id"]})
    return api.made("/block_documents/", {"name": unique("doc"), "data": {}, "block_schema_id": schema["id"],
                                          "block_type_id": block_type["id"], **fields})


def is_refused(answer, body, *details):
    assert answer.status_code == 422, answer.text
    assert answer.json() == {"exception_message": "Invalid request received.", "exception_detail": list(details),
                             "request_body": body}
