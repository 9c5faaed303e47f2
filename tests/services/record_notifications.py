"""Records what the reference's notification blocks send: run by hand with the reference's Python, writes
notifications.jsonl.

Each line is a block, a message, and the requests that went out: method, URL, the headers that matter, body. Addresses
in the form of the library that it uses (slack://…), and that library's options but image and footer, are not ours:
docs/differences.md."""
import asyncio
import json
import sys
from pathlib import Path

import requests

BODY = ("\nFlow run a/b entered state `Failed` at 2026-01-02T03:04:05+00:00.\n\nFlow run URL: http://x/y?a=1&b=2\n"
        "State message: <oh> & \"é\" 😀\n")
SUBJECT = "Prefect flow run notification"
SLACK = "https://hooks.slack.com/services/T1AaB/B2cC/d3Ee"
TEAMS = "https://team-1.webhook.office.com/webhookb2/aB-1@cD-2/IncomingWebhook/eF3/gH-4"
SID, TOKEN = "AC0123456789abcdef", "0a1b2c3d4e5f"


def slack(url=SLACK, **more):
    return "slack-webhook", {"url": url, **more}


def teams(url=TEAMS, **more):
    return "ms-teams-webhook", {"url": url, **more}


def pager(**more):
    return "pager-duty-webhook", {"integration_key": "int-Key1", "api_key": "api-Key2", **more}


def twilio(to, source="+1 800 123-4567", **more):
    return "twilio-sms", {"account_sid": SID, "auth_token": TOKEN, "from_phone_number": source, "to_phone_numbers": to,
                          **more}


def opsgenie(**more):
    return "opsgenie-webhook", {"apikey": "ops-Key3", **more}


UUID = "01234567-89ab-4def-8123-456789abcdef"
CASES = [
    *[slack(notify_type=kind) for kind in ["prefect_default", "info", "success", "warning", "failure"]],
    slack(), slack(SLACK + "/"), slack(SLACK.replace("https", "http")), slack(SLACK.upper().replace("HTTPS", "https")),
    slack(SLACK + "?image=no", notify_type="info"), slack(SLACK + "?footer=no", notify_type="info"),
    slack(SLACK + "/?footer=no&image=off"), slack(" " + SLACK), slack("https://hooks.slack.com/workflows/a/b"),
    slack("https://example.com/hook"), slack("not a url"), slack(""), ("slack-webhook", {}), slack(notify_type="what"),
    slack(notify_type=None), slack(TEAMS), slack(SLACK + "/more"),
    *[teams(notify_type=kind) for kind in ["prefect_default", "info", "success", "warning", "failure"]],
    teams(), teams(TEAMS + "?image=no", notify_type="info"),
    teams("https://outlook.office.com/webhook/aB-1@cD-2/IncomingWebhook/eF3/gH-4"),
    teams("https://team.office.com/webhook/aB-1@cD-2/IncomingWebhook/eF3/gH-4", notify_type="info"),
    teams("https://team.webhook.office.com/webhookb2/a/b"), teams(SLACK),
    teams("https://a.b.webhook.office.com/webhookb2/aB-1@cD-2/IncomingWebhook/eF3/gH-4"), ("ms-teams-webhook", {}),
    *[pager(notify_type=kind) for kind in ["info", "success", "warning", "failure"]],
    pager(), pager(notify_type="prefect_default"), pager(region_name="eu"), pager(region_name="xx"),
    pager(source="my source", component="a/b", group="g h", class_id="c&d"), pager(source=None), pager(source=""),
    pager(component=""), pager(group="", class_id=""), pager(clickable_url="https://example.com/a?b=c&d=e#f"),
    pager(include_image=False), pager(include_image=False, notify_type="failure"),
    pager(custom_details={"disk": "1 GB", "a+b": "c=d&e", "Upper": " spaced ", "é": "ü"}), pager(custom_details={}),
    pager(api_key="a b"), pager(api_key=""), pager(integration_key="k:e@y/%1"), pager(api_key="k:e@y/%1"),
    pager(api_key="Abc:80"), pager(source=" lead"), pager(component="x?y"), pager(clickable_url="nope"),
    pager(class_id="a\nb"), ("pager-duty-webhook", {"integration_key": "x"}), pager(group=" g "), pager(source="a//b"),
    pager(component="c:\\d"), pager(source="s, t"), pager(custom_details={"": "x", "k": ""}), twilio(["18004242424"]),
    twilio(["+1 (800) 424-2424", "8005551234"]), twilio([]), twilio(["123"]), twilio(["bad", "18004242424"]),
    twilio(["18004242424", "18004242424"]), twilio("18004242424"), twilio(["18004242424, 18004242425"]),
    twilio(["18004242424"], source="12345"), twilio([], source="12345"), twilio(["18004242424"], source="1234567"),
    twilio(["18004242424"], source="x"), twilio(["18004242424"], source="123456"),
    twilio(["18004242424"], notify_type="failure"),
    ("twilio-sms", {"account_sid": "XX12", "auth_token": TOKEN,
                    "from_phone_number": "18001234567", "to_phone_numbers": ["18004242424"]}),
    ("twilio-sms", {"account_sid": SID, "auth_token": "with space", "from_phone_number": "18001234567",
                    "to_phone_numbers": ["18004242424"]}), ("twilio-sms", {"account_sid": SID}),
    twilio(["012345678901234"]), twilio(["01234567890123"]), twilio(["1800424242"]), twilio(["180042424"]),
    twilio([18004242424]), twilio(["18004242424\n18004242425"]), twilio(["(800)4242424 8005551234"]), opsgenie(),
    opsgenie(region_name="eu"), opsgenie(region_name="zz"), opsgenie(notify_type="failure"),
    opsgenie(target_user=["a@b.c", UUID]), opsgenie(target_team=["team one", "t2", UUID]),
    opsgenie(target_user=["u"], target_team=["t"], target_schedule=["s", UUID], target_escalation=["e", UUID]),
    opsgenie(target_user=["u1", "u2", "u1"], batch=True),
    opsgenie(target_user=["u%02d" % i for i in range(53)], batch=True),
    opsgenie(tags=["b", "a", "a", "c d"]), opsgenie(tags=[]),
    *[opsgenie(priority=p) for p in ["1", "5", 4, "P2", "high", "low", "emergency", "9", "", None, "10"]],
    opsgenie(alias="al ias", entity="ent/ity&"), opsgenie(alias="", entity=""),
    opsgenie(details={"key": "v w", "type": "mine", "A+b": "c"}), opsgenie(details={}), opsgenie(apikey="a b"),
    opsgenie(apikey=""), opsgenie(apikey="k:y@z/1"), opsgenie(target_user=[""]), opsgenie(target_user=["a/b", "c,d;e"]),
    opsgenie(target_team=[5]), opsgenie(target_user=None, batch=True), opsgenie(tags="x"),
    ("opsgenie-webhook", {}), opsgenie(details={"k": " s "}), opsgenie(tags=["a&b", "c=d", "e+f"]),
    opsgenie(target_user=["é", "a b", "#x", "@y"]), opsgenie(apikey="Key:443"),
]
MESSAGES = ["", "  lead and trail \n\n", "x" * 200,
            "a https://example.com/q?a=b|text> <http://e.com|d> <https://e.com/x&y> <mailto://a@b| n > b", "#h\n",
            "<http://a|> <http://b|c\n> http://c>d>e <https://|x>"]
KINDS = [slack(), teams(), pager(), twilio(["18004242424"]), opsgenie()]


def record(kind, data, body, subject, answer):
    from prefect.blocks.core import Block
    from prefect.utilities.dispatch import lookup_type
    import time
    sent = []

    def send(self, request, **_):
        sent.append(request)
        response = requests.Response()
        response.status_code, response._content = answer
        response.request, response.url = request, request.url
        return response

    requests.Session.send = send
    time.sleep = lambda _: None
    import apprise.URLBase
    apprise.URLBase.sleep = lambda _: None
    try:
        block = lookup_type(Block, kind).parse_obj(data)
        asyncio.run(asyncio.wait_for(notify(block, body, subject), 60))
    except Exception:  # noqa: BLE001 - whatever goes wrong is logged there, and nothing is sent
        pass
    return [tell(request) for request in sent]


async def notify(block, body, subject):
    await block.notify(subject=subject, body=body)


def tell(request):
    body = request.body if isinstance(request.body, str) or request.body is None else request.body.decode()
    headers = {name.lower(): value for name, value in request.headers.items()}
    for name in ["connection", "accept-encoding", "content-length"]:
        headers.pop(name, None)
    try:
        parsed = json.loads(body)
        if "attachments" in parsed and "ts" in parsed["attachments"][0]:
            body = body.replace(f'"ts": {json.dumps(parsed["attachments"][0]["ts"])}', '"ts": NOW')
    except ValueError:
        pass
    return {"method": request.method, "url": request.url, "headers": headers, "body": body}


def main():
    good = (200, b"ok")
    # The pace between requests of one message is the library's own, and nobody's wish.
    lines = [(case, BODY, SUBJECT, good) for case in CASES]
    lines += [(case, message, SUBJECT, good) for message in MESSAGES for case in KINDS]
    with open(Path(__file__).parent / "notifications.jsonl", "w") as out:
        for (kind, data), body, subject, answer in lines:
            requests_sent = record(kind, data, body, subject, answer)
            print(json.dumps({"kind": kind, "data": data, "body": body, "subject": subject, "requests": requests_sent}),
                  file=out)


if __name__ == "__main__":
    sys.exit(main())
