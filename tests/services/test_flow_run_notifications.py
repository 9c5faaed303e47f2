"""Notifications: from a state that is set to the request that a service gets, on both servers. What each block sends in
detail is in tests/unit/test_notify.c."""
import json
import time
import urllib.parse

import pytest

from tests.lib.api_client import NOBODY, unique
from tests.lib.receiver import wait_until
from tests.lib.shapes import kept

SLACK = {"url": "https://hooks.slack.com/services/T1/B2/c3"}


def block(api, slug, data):
    block_type = api.read(f"/block_types/slug/{slug}")
    [schema] = api.made("/block_schemas/filter", {"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}},
                        200)
    return api.made("/block_documents/", {"name": unique("block"), "block_type_id": block_type["id"],
                                          "block_schema_id": schema["id"], "data": data})


def policy(api, slug="slack-webhook", data=SLACK, **fields):
    body = {"state_names": ["Failed"], "tags": [unique("tag")], "block_document_id": block(api, slug, data)["id"],
            **fields}
    return api.made("/flow_run_notification_policies/", body)


def failed_run(api, policy, message="the reason", **fields):
    run = api.flow_run(tags=policy["tags"][:1], **fields)
    api.moved(run, {"type": "FAILED", "message": message})
    return api.again(run)


def queued(api):
    return api.server.execute("SELECT count(*) FROM flow_run_notification_queue")[0][0]


def drained(api):
    wait_until(lambda: queued(api) == 0)


def slack_text(request):
    return json.loads(request["body"])["attachments"][0]["text"]


def test_default_message_to_slack(api, receiver):
    rule = policy(api)
    run = failed_run(api, rule)
    [request] = receiver.wait(1)
    flow = api.read(f"/flows/{run['flow_id']}")
    assert (request["host"], request["first"]) == ("hooks.slack.com", "POST /services/T1/B2/c3 HTTP/1.1")
    assert request["headers"]["content-type"] == "application/json; charset=utf-8"
    assert (request["headers"]["user-agent"], request["headers"]["accept"]) == \
        ("Prefect Notifications", "application/json")
    assert json.loads(request["body"])["attachments"][0]["title"] == "Prefect flow run notification"
    assert slack_text(request) == (
        f"\nFlow run {flow['name']}/{run['name']} entered state `Failed` at {run['state']['timestamp']}.\n\nFlow ID:"
        f" {flow['id']}\n"
        f"Flow run ID: {run['id']}\nFlow run URL: http://ui.example/flow-runs/flow-run/{run['id']}\n"
        "State message: the reason")
    drained(api)


def test_every_field_of_a_template(api, receiver):
    template = "|".join("{flow_run_%s}" % name
                        for name in ["notification_policy_id", "id", "name", "url", "state_type", "state_name",
                                     "state_timestamp", "state_message", "parameters"])
    rule = policy(api, message_template=template + "|{flow_id}|{flow_name!r}|{flow_name[0]}{{}}|{flow_run_name:.2}"
                  "|{flow_run_state_name:*>10}|{flow_run_id!r}|{flow_run_state_message!r}")
    flow = api.flow("it's \"a\" flow")
    parameters = {"a": [1, 2.50, None, True, {"b": "it's"}], "é": "\n", "e": {}, "f": []}
    run = failed_run(api, rule, flow=flow, message=None, parameters=parameters)
    [request] = receiver.wait(1)
    assert slack_text(request).split("|") == [
        rule["id"], run["id"], run["name"], f"http://ui.example/flow-runs/flow-run/{run['id']}", "StateType.FAILED",
        "Failed", run["state"]["timestamp"], "None", str(kept(parameters, api.engine)), flow["id"], repr(flow["name"]),
        "i{}", run["name"][:2], "****Failed", f"UUID('{run['id']}')", "None"]


@pytest.mark.parametrize("slug, data, host, first, told", [
    ("ms-teams-webhook", {"url": "https://team.webhook.office.com/webhookb2/a@b/IncomingWebhook/c/d"},
     "team.webhook.office.com", "POST /webhookb2/a@b/IncomingWebhook/c/d HTTP/1.1",
     lambda body: json.loads(body)["sections"][0]["text"]),
    ("pager-duty-webhook", {"integration_key": "int", "api_key": "key"}, "events.pagerduty.com",
     "POST /v2/enqueue HTTP/1.1", lambda body: json.loads(body)["payload"]["summary"].split("\r\n")[1]),
    ("twilio-sms", {"account_sid": "AC12", "auth_token": "ab", "from_phone_number": "18001234567",
                    "to_phone_numbers": ["18004242424"]},
     "api.twilio.com", "POST /2010-04-01/Accounts/AC12/Messages.json HTTP/1.1",
     lambda body: urllib.parse.parse_qs(body)["Body"][0].split("\r\n")[1]),
    ("opsgenie-webhook", {"apikey": "key"}, "api.opsgenie.com", "POST /v2/alerts HTTP/1.1",
     lambda body: json.loads(body)["description"]),
])
def test_services(api, receiver, slug, data, host, first, told):
    failed_run(api, policy(api, slug, data, message_template="é {flow_run_state_name}"))
    [request] = receiver.wait(1)
    assert (request["host"], request["first"], told(request["body"])) == (host, first, "é Failed")
    expected = {"pager-duty-webhook": "Token token=key", "opsgenie-webhook": "GenieKey key",
                "twilio-sms": "Basic QUMxMjphYg=="}
    assert request["headers"].get("authorization") == expected.get(slug)
    drained(api)


def test_order_is_that_of_the_queue(api, receiver):
    rule = policy(api, message_template="{flow_run_state_message}")
    for number in range(5):
        failed_run(api, rule, str(number))
    assert [slack_text(request) for request in receiver.wait(5)] == ["0", "1", "2", "3", "4"]


def test_what_cannot_be_sent_is_not_tried_again(api, receiver):
    before = len(api.server.log())
    bad = policy(api, "slack-webhook", {"url": "https://example.com/sesame"})
    failed_run(api, bad)
    receiver.status = 500
    failed_run(api, policy(api, message_template="refused"))
    assert slack_text(receiver.wait(1)[0]) == "refused"
    drained(api)
    receiver.status = None
    failed_run(api, policy(api, message_template="taken"))
    assert [slack_text(request) for request in receiver.wait(1)] == ["taken"]
    drained(api)
    if api.kind == "orion":
        told = api.server.log()[before:]
        assert bad["id"] in told and "sesame" not in told and "/services/" not in told


def test_rows_of_vanished_policies_hold_up_nothing(api, receiver):
    api.server.execute("INSERT INTO flow_run_notification_queue (flow_run_notification_policy_id, flow_run_state_id,"
                       " updated) VALUES (?, ?, '2020-01-01 00:00:00.000000')", NOBODY, NOBODY)
    failed_run(api, policy(api, message_template="still"))
    assert [slack_text(request) for request in receiver.wait(1)] == ["still"]
    if api.kind == "reference":  # it never deletes them
        api.server.execute("DELETE FROM flow_run_notification_queue")
    drained(api)


def test_inactive_policies_are_silent(api, receiver):
    silent, loud = policy(api, is_active=False), policy(api, message_template="loud")
    failed_run(api, silent)
    failed_run(api, loud)
    assert [slack_text(request) for request in receiver.wait(1)] == ["loud"]


def test_what_was_queued_before_the_clock_was_set_back_is_sent(api, receiver):
    rule = policy(api, message_template="{flow_run_state_message}")
    run = api.flow_run()
    state = api.moved(run, {"type": "FAILED", "message": "an hour ahead"})
    ahead = time.strftime("%Y-%m-%d %H:%M:%S.000000", time.gmtime(time.time() + 3600))
    api.server.execute("INSERT INTO flow_run_notification_queue (flow_run_notification_policy_id, flow_run_state_id,"
                       " created, updated) VALUES (?, ?, ?, ?)", rule["id"], state["id"], ahead, ahead)
    assert [slack_text(request) for request in receiver.wait(1)] == ["an hour ahead"]
    drained(api)
