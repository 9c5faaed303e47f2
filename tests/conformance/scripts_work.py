"""Scripts for deployments, work queues, work pools, saved searches and notification policies."""
from .scripts_runs import TAGS, hours, named_later, pages, set_state
from .world import NOBODY

CONFIGURED = {"job_configuration": {"command": "{{ command }}", "env": "{{ env }}"},
              "variables": {"properties": {"command": {"type": "string", "title": "Command"}, "env": {"type": "object"},
                                           "count": {"type": "integer", "default": 1}}, "required": ["command"]}}


def schedules():
    return [None, {"interval": 3600, "anchor_date": "2022-01-01T00:00:00+00:00"},
            {"interval": "PT24H", "anchor_date": "2022-01-01T00:00:00-05:00", "timezone": "America/New_York"},
            {"cron": "30 */4 * * *", "timezone": "Europe/Berlin"}, {"cron": "@daily"},
            {"cron": "0 0 1 * 1", "day_or": False}, {"rrule": "DTSTART:20220101T000000\nFREQ=DAILY;BYHOUR=2,14"},
            {"rrule": "DTSTART:20220103T090000\nFREQ=WEEKLY;BYDAY=MO,WE,FR", "timezone": "Asia/Kolkata"},
            {"rrule": "DTSTART:20220101T000000\nRRULE:FREQ=MONTHLY;COUNT=3"}]


WRONG_SCHEDULES = [{}, {"interval": 0}, {"interval": -5}, {"interval": "x"}, {"interval": 60, "timezone": "Nope/Zone"},
                   {"cron": "x"}, {"cron": "* * * *"}, {"cron": "R R * * *"}, {"cron": "61 * * * *"},
                   {"cron": "0 0 * * *", "timezone": "x"}, {"rrule": ""}, {"rrule": "FREQ=NEVER"}, {"rrule": "x"},
                   {"rrule": "FREQ=DAILY", "timezone": "x"}, {"interval": 60, "cron": "0 0 * * *"},
                   {"interval": 60, "more": 1}, "x", [], 5, {"interval": 3600, "anchor_date": "x"},
                   {"cron": "0 0 * * * *"}, {"cron": "0 0 L * *"}, {"cron": "0 0 * * mon#2"}]


def deployments(world):
    flow = world.made("/flows/", {"name": world.name("flow")})
    document = world.row("block_document")
    rows = []
    for number, schedule in enumerate(schedules()):
        body = {"name": world.name("deployment"), "flow_id": flow["id"], "tags": TAGS[:number % 4],
                "parameters": {"x": number}, "description": "d" if number % 2 else None, "version": str(number),
                "path": "/p", "entrypoint": "f.py:f", "manifest_path": "m.json", "infra_overrides": {"env": {"A": "1"}},
                "parameter_openapi_schema": {"type": "object", "properties": {}}, "is_schedule_active": number != 4}
        if schedule:
            body["schedule"] = schedule
        if number % 3 == 0:
            body["work_queue_name"] = f"queue-{number}"
        if number == 5 and document["id"] != NOBODY:
            body.update(storage_document_id=document["id"], infrastructure_document_id=document["id"])
        row = world.made("/deployments/", body)
        rows.append((row, body))
        world.get(f"/deployments/{row['id']}")
        world.get(f"/deployments/name/{flow.get('name')}/{body['name']}")
        planned(world, row)
    for schedule in WRONG_SCHEDULES:
        world.post("/deployments/", {"name": world.name("wrong"), "flow_id": flow["id"], "schedule": schedule},
                   note="a schedule")
    upserts(world, flow, rows)
    for body in ({"flow_id": NOBODY}, {"storage_document_id": NOBODY}, {"infrastructure_document_id": NOBODY},
                 {"work_pool_name": "no such pool"}, {"work_pool_name": "default-agent-pool"},
                 {"work_pool_name": "default-agent-pool", "work_queue_name": "made with it"},
                 {"work_pool_name": "no such pool", "work_queue_name": "q"}, {"name": "a/b"}, {"parameters": None}):
        world.post("/deployments/", {"name": world.name("deployment"), "flow_id": flow["id"], **body})
    pages(world, "/deployments", ["NAME_ASC", "NAME_DESC", "CREATED_DESC", "UPDATED_DESC"])
    gone = world.made("/deployments/", {"name": world.name("gone"), "flow_id": flow["id"],
                                        "schedule": {"interval": 86400, "anchor_date": "2022-01-01T00:00:00Z"}})
    planned(world, gone)
    for _ in range(2):
        world.delete(f"/deployments/{gone['id']}", headers={"x-prefect-api-version": "0.8.4"})
        runs_of(world, gone)


def runs_of(world, deployment):
    world.post("/flow_runs/filter",
               {"deployments": {"id": {"any_": [deployment["id"]]}}, "sort": "EXPECTED_START_TIME_ASC"})
    world.post("/flow_runs/filter",
               {"flow_runs": {"deployment_id": {"any_": [deployment["id"]]}, "tags": {"all_": ["auto-scheduled"]}},
                "sort": "EXPECTED_START_TIME_DESC"})


def planned(world, deployment):
    """Runs of a deployment: planned, more of them, again, by hand; the switch of its schedule."""
    path = f"/deployments/{deployment['id']}"
    start, end = hours(24 * 30), hours(24 * 40)
    for body in ({"start_time": start, "end_time": end, "max_runs": 3},
                 {"start_time": start, "end_time": end, "max_runs": 5},
                 {"start_time": start, "min_time": 86400, "min_runs": 2, "max_runs": 8},
                 {"start_time": "2020-03-01T00:00:00Z", "end_time": "2020-03-03T00:00:00Z"}, {"max_runs": 0},
                 {"start_time": end, "end_time": start}):
        world.post(f"{path}/schedule", body)
    runs_of(world, deployment)
    world.post(f"{path}/create_flow_run", {"name": world.name("run")})
    world.post(f"{path}/create_flow_run",
               {"name": world.name("run"), "parameters": {"y": 1},
                "tags": ["own"], "state": {"type": "SCHEDULED", "state_details": {"scheduled_time": hours(-1)}},
                "idempotency_key": "mine", "context": {"c": 1}, "empirical_policy": {"retries": 1}})
    world.post(f"{path}/create_flow_run", {"name": world.name("run"), "idempotency_key": "mine"})
    named_later(world, world.post(f"{path}/create_flow_run", {}))
    world.get(f"{path}/work_queue_check")
    for word in ("inactive", "active"):
        world.post(f"{path}/set_schedule_{word}")
        world.get(path)
    runs_of(world, deployment)


def upserts(world, flow, rows):
    for row, body in rows[:4]:
        world.post("/deployments/", {**body, "description": "again", "tags": ["later"]}, note="the same again")
        runs_of(world, row)
        world.post(f"/deployments/{row['id']}/schedule", {"start_time": hours(900), "max_runs": 2})
        for change in ({"description": "new"}, {"schedule": {"cron": "5 5 * * *"}}, {"schedule": None},
                       {"is_schedule_active": False}, {"parameters": {"n": None}}, {"tags": []},
                       {"work_queue_name": "another-queue"}, {"work_queue_name": None},
                       {"work_pool_name": "default-agent-pool"}, {"path": None}, {"version": "9"},
                       {"infra_overrides": {}}, {}):
            world.patch(f"/deployments/{row['id']}", change)
            world.get(f"/deployments/{row['id']}")
        runs_of(world, row)


def work_queues(world):
    rows = [world.made("/work_queues/", {"name": world.name("queue"), **body}) for body in (
        {}, {"description": "d", "is_paused": True}, {"concurrency_limit": 2}, {"priority": 1}, {"priority": 2},
        {"filter": {"tags": ["red"], "deployment_ids": None}}, {"concurrency_limit": 0},
        {"filter": {"tags": [], "deployment_ids": [world.id("deployment")]}},
        {"filter": {"deployment_ids": [world.id("deployment"), world.id("deployment")], "tags": ["green"]}},
        {"filter": {}})]
    world.post("/work_queues/", {"name": rows[0]["name"]}, note="the same again")
    for row in rows:
        world.get(f"/work_queues/{row['id']}")
        world.get(f"/work_queues/name/{row['name']}")
        world.get(f"/work_queues/{row['id']}/status")
    world.post("/work_queues/filter", {})
    queued(world, rows)
    for change in ({"name": world.name("queue")}, {"description": "new"}, {"is_paused": True}, {"is_paused": False},
                   {"concurrency_limit": 0}, {"concurrency_limit": None}, {"priority": 1}, {"priority": 100},
                   {"last_polled": hours(-5)}, {"filter": {"tags": ["blue"]}}, {"filter": None},
                   {"name": rows[1]["name"]}, {}):
        world.patch(f"/work_queues/{rows[0]['id']}", change)
        world.get(f"/work_queues/{rows[0]['id']}")
        world.get(f"/work_queues/{rows[0]['id']}/status")
    for body in ({"limit": 3}, {"limit": 3, "offset": 2}, {"work_queues": {"name": {"startswith_": ["queue-", "x"]}}},
                 {"work_queues": {"name": {"any_": [rows[2]["name"]]}}},
                 {"work_queues": {"id": {"any_": [rows[3]["id"]]}}},
                 {"work_queues": {"operator": "or_", "id": {"any_": [rows[3]["id"]]},
                                  "name": {"any_": [rows[2]["name"]]}}}):
        world.post("/work_queues/filter", body)
    for _ in range(2):
        world.delete(f"/work_queues/{rows[0]['id']}", headers={"x-prefect-api-version": "0.8.4"})
        world.get(f"/work_queues/{rows[0]['id']}/status")
    world.post("/work_queues/filter", {})


def queued(world, rows):
    """Runs in queues: waiting ones, those that take a slot, and who asks for them."""
    flow = world.made("/flows/", {"name": world.name("flow")})
    for number, row in enumerate(rows[:7]):
        deployment = world.made("/deployments/",
                                {"name": world.name("deployment"), "flow_id": flow["id"],
                                 "work_queue_name": row["name"], "tags": ["red"] if number % 2 else []})
        for place in range(4):
            body = {"name": world.name("run"),
                    "state": {"type": "SCHEDULED", "state_details": {"scheduled_time": hours(place - 2)}}}
            run = world.made(f"/deployments/{deployment['id']}/create_flow_run", body)
            if place == 0 and number in (2, 3):
                set_state(world, "flow_run", run, "PENDING")
    for row in rows:
        path = f"/work_queues/{row['id']}"
        for body in ({}, {"limit": 2}, {"scheduled_before": hours(0)},
                     {"scheduled_before": hours(9), "agent_id": NOBODY}, {"limit": 0},
                     {"scheduled_before": "2020-01-01T00:00:00Z"}):
            world.post(f"{path}/get_runs", body, headers={"x-prefect-ui": "true"})
        world.post(f"{path}/get_runs", {"scheduled_before": hours(1)})
        world.get(f"{path}/status")


def work_pools(world):
    pools = [world.made("/experimental/work_pools/", {"name": world.name("pool"), **body}) for body in (
        {}, {"type": "process", "description": "d"}, {"is_paused": True}, {"concurrency_limit": 2},
        {"base_job_template": CONFIGURED}, {"base_job_template": {"job_configuration": {}, "variables": {}}},
        {"concurrency_limit": 0})]
    for body in ({"name": pools[0]["name"]}, {"name": "Prefect-x"}, {"name": "prefect"}, {"name": "a/b"},
                 {"name": world.name("pool"), "base_job_template": {"x": 1}},
                 {"name": world.name("pool"),
                  "base_job_template": {"job_configuration": {"x": "{{ missing }}"}, "variables": {"properties": {}}}},
                 {"name": world.name("pool"), "base_job_template": {"job_configuration": {}}}):
        world.post("/experimental/work_pools/", body)
    for name in [pool["name"] for pool in pools] + ["default-agent-pool", "none"]:
        path = f"/experimental/work_pools/{name}"
        world.get(path)
        world.post(f"{path}/queues/filter", {})
        pool_queues(world, path)
    for change in ({"description": "new"}, {"is_paused": True}, {"is_paused": False}, {"concurrency_limit": 3},
                   {"concurrency_limit": None}, {"base_job_template": CONFIGURED}, {"base_job_template": {"bad": 1}},
                   {"base_job_template": {}}, {}):
        for name in (pools[0]["name"], "default-agent-pool"):
            world.patch(f"/experimental/work_pools/{name}", change)
            world.get(f"/experimental/work_pools/{name}")
    for body in ({}, {"limit": 2}, {"offset": 2, "limit": 2},
                 {"work_pools": {"name": {"any_": [pools[0]["name"], "default-agent-pool"]}}},
                 {"work_pools": {"type": {"any_": ["process"]}}}, {"work_pools": {"id": {"any_": [pools[1]["id"]]}}},
                 {"work_pools": {"operator": "or_", "type": {"any_": ["process"]},
                                 "name": {"any_": [pools[0]["name"]]}}}):
        world.post("/experimental/work_pools/filter", body)
    pooled(world, pools)
    for name in (pools[-1]["name"], pools[-1]["name"], "default-agent-pool"):
        world.delete(f"/experimental/work_pools/{name}", headers={"x-prefect-api-version": "0.8.4"})
    world.post("/experimental/work_pools/filter", {})
    world.post("/work_queues/filter", {})


def pool_queues(world, path):
    rows = [world.made(f"{path}/queues", {"name": world.name("queue"), **body})
            for body in ({}, {"priority": 1}, {"priority": 2, "description": "d", "is_paused": True}, {"priority": 20},
                         {"concurrency_limit": 1})]
    world.post(f"{path}/queues", {"name": rows[0]["name"]}, note="the same again")
    for row in rows:
        world.get(f"{path}/queues/{row['name']}")
    for body in ({}, {"limit": 2}, {"offset": 2}, {"work_queues": {"name": {"any_": ["default", rows[0]["name"]]}}},
                 {"work_queues": {"name": {"startswith_": ["queue"]}}}):
        world.post(f"{path}/queues/filter", body)
    for place, change in ((0, {"priority": 1}), (1, {"priority": 3}), (2, {"priority": 2, "is_paused": False}),
                          (3, {"name": world.name("queue")}), (4, {"concurrency_limit": None, "description": "n"}),
                          (4, {"priority": 50}), (4, {}), (4, {"last_polled": hours(-2)})):
        world.patch(f"{path}/queues/{rows[place]['name']}", change)
        world.post(f"{path}/queues/filter", {})
    for name in (rows[1]["name"], rows[1]["name"], "default", "none"):
        world.delete(f"{path}/queues/{name}", headers={"x-prefect-api-version": "0.8.4"})
    world.post(f"{path}/queues/filter", {})
    for name in ("worker-a", "worker-b", "worker-a", "é"):
        world.post(f"{path}/workers/heartbeat", {"name": name})
    for body in ({}, {"limit": 1}, {"offset": 1}, {"workers": {"last_heartbeat_time": {"after_": hours(-3)}}},
                 {"workers": {"last_heartbeat_time": {"before_": hours(-3)}}}, {"workers": {"operator": "or_"}}):
        world.post(f"{path}/workers/filter", body)


def pooled(world, pools):
    """Runs of deployments that work in pools."""
    flow = world.made("/flows/", {"name": world.name("flow")})
    for number, pool in enumerate(pools[:5]):
        body = {"name": world.name("deployment"), "flow_id": flow["id"], "work_pool_name": pool["name"]}
        for more in ({}, {"work_queue_name": "made-with-it"}, {"infra_overrides": {"command": "ls"}},
                     {"infra_overrides": {"command": 5}}, {"infra_overrides": {"command": "ls", "count": "x"}},
                     {"infra_overrides": {"command": "ls", "unknown": 1}}):
            deployment = world.made("/deployments/", {**body, **more, "name": world.name("deployment")})
            for change in ({"infra_overrides": {}},
                           {"work_pool_name": pool["name"], "infra_overrides": {"command": "x"}},
                           {"work_pool_name": pool["name"], "work_queue_name": "made-with-it"},
                           {"work_pool_name": pool["name"]}):
                world.patch(f"/deployments/{deployment['id']}", change)
                world.get(f"/deployments/{deployment['id']}")
            for place in range(2):
                run = world.made(f"/deployments/{deployment['id']}/create_flow_run",
                                 {"name": world.name("run"),
                                  "state": {"type": "SCHEDULED",
                                            "state_details": {"scheduled_time": hours(place - 2 + number)}}})
            if number == 3 and not more:
                set_state(world, "flow_run", run, "PENDING")
            world.get(f"/deployments/{deployment['id']}/work_queue_check")
        for body in ({}, {"limit": 3}, {"work_queue_names": ["made-with-it"]},
                     {"work_queue_names": ["default", "made-with-it"], "scheduled_before": hours(1)},
                     {"scheduled_after": hours(-1)}, {"work_queue_names": ["none"]}, {"work_queue_names": []},
                     {"scheduled_before": hours(1), "scheduled_after": hours(-1)}):
            world.post(f"/experimental/work_pools/{pool['name']}/get_scheduled_flow_runs", body)
    for filters in ({"work_pools": {"name": {"any_": [pools[0]["name"], pools[1]["name"]]}}},
                    {"work_pool_queues": {"name": {"any_": ["made-with-it"]}}},
                    {"work_pools": {"type": {"any_": ["process"]}},
                     "work_pool_queues": {"name": {"any_": ["default"]}}}):
        for path in ("/flow_runs", "/deployments"):
            world.post(f"{path}/filter", {**filters, "sort": "NAME_ASC"})
            world.post(f"{path}/count", filters)


def saved_searches(world):
    rule = {"object": "flow", "property": "name", "type": "string", "operation": "equals", "value": "x"}
    for filters in ([], [rule], [rule, {**rule, "value": [1, None, {"é": 1.5}]}, {**rule, "unknown": 1}]):
        row = world.made("/saved_searches/", {"name": world.name("search"), "filters": filters}, method="PUT")
        world.get(f"/saved_searches/{row['id']}")
    world.put("/saved_searches/", {"name": row["name"], "filters": [rule]}, note="the same again")
    world.get(f"/saved_searches/{row['id']}")
    for body in ({}, {"limit": 2}, {"offset": 1, "limit": 1}, {"offset": 50}):
        world.post("/saved_searches/filter", body)
    for _ in range(2):
        world.delete(f"/saved_searches/{row['id']}", headers={"x-prefect-api-version": "0.8.4"})
        world.get(f"/saved_searches/{row['id']}")


def flow_run_notification_policies(world):
    document = world.row("block_document")
    body = {"state_names": ["Failed", "Crashed"], "tags": ["red"], "block_document_id": document["id"]}
    rows = [world.made("/flow_run_notification_policies/", {**body, **more}) for more in (
        {}, {"is_active": False}, {"message_template": "{flow_name}: {flow_run_state_name} {flow_run_url}"},
        {"tags": [], "state_names": []}, {"state_names": ["é"], "is_active": True})]
    for template in ("{nope}", "{flow_run_id", "{}", "{flow_run_id!r} {flow_id:>20}", "plain {{x}}", "",
                     "{flow_run_id.x}", "{0}"):
        world.post("/flow_run_notification_policies/", {**body, "message_template": template})
    world.post("/flow_run_notification_policies/", {**body, "block_document_id": NOBODY})
    for row in rows:
        world.get(f"/flow_run_notification_policies/{row['id']}")
    for change in ({"is_active": False}, {"is_active": True}, {"state_names": ["Completed"]}, {"tags": ["x", "y"]},
                   {"message_template": "new"}, {"message_template": None}, {"block_document_id": document["id"]},
                   {"block_document_id": NOBODY}, {"message_template": "{nope}"}, {}):
        world.patch(f"/flow_run_notification_policies/{rows[0]['id']}", change)
        world.get(f"/flow_run_notification_policies/{rows[0]['id']}")
    for filters in ({}, {"flow_run_notification_policy_filter": {"is_active": {"eq_": True}}},
                    {"flow_run_notification_policy_filter": {"is_active": {"eq_": False}}},
                    {"flow_run_notification_policy_filter": {}}, {"limit": 2}, {"offset": 3},
                    {"flow_run_notification_policy_filter": {"is_active": None}}):
        world.post("/flow_run_notification_policies/filter", filters)
    for _ in range(2):
        world.delete(f"/flow_run_notification_policies/{rows[1]['id']}", headers={"x-prefect-api-version": "0.8.4"})
        world.get(f"/flow_run_notification_policies/{rows[1]['id']}")


def disabled_work_pools(world):
    """What servers without the experiment answer."""
    for method, path, body in (
            ("POST", "/", {"name": "p"}), ("GET", "/default-agent-pool", None), ("PATCH", "/default-agent-pool", {}),
            ("DELETE", "/default-agent-pool", None), ("POST", "/filter", {}), ("POST", "/filter", {"limit": -1}),
            ("POST", "/x/get_scheduled_flow_runs", {}), ("POST", "/x/queues", {"name": "q"}),
            ("GET", "/x/queues/q", None), ("PATCH", "/x/queues/q", {}), ("DELETE", "/x/queues/q", None),
            ("POST", "/x/queues/filter", {}), ("POST", "/x/workers/heartbeat", {"name": "w"}),
            ("POST", "/x/workers/heartbeat", {}), ("POST", "/x/workers/filter", {}), ("POST", "/", {}),
            ("GET", "/x/", None), ("PUT", "/x", None)):
        content = () if body is None else (body,)
        world.ask(method, f"/experimental/work_pools{path}", *content)
    flow = world.made("/flows/", {"name": "flow"})
    for body in ({}, {"work_pool_name": "default-agent-pool"}, {"work_queue_name": "q"}, {"work_pool_name": "none"}):
        row = world.made("/deployments/", {"name": world.name("deployment"), "flow_id": flow["id"], **body})
        world.get(f"/deployments/{row['id']}")
    world.post("/work_queues/filter", {})
    for filters in ({"work_pools": {"name": {"any_": ["default-agent-pool"]}}},
                    {"work_pool_queues": {"name": {"any_": ["q"]}}}):
        world.post("/deployments/filter", filters)
        world.post("/flow_runs/count", filters)
