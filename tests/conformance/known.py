"""Answers of ours that are meant to differ from the reference's, each with the reason. Nothing else may differ.

What tests/lib/differences.py says of required fields holds here as well."""
import collections
import datetime
import json
import re
from dataclasses import dataclass
from typing import Callable

from tests.lib.comparison import LOOSE
from tests.lib.differences import expected_answer, missing_fields
from .wire import Answer


@dataclass
class Known:
    """Where `path` matches and `holds` says so of both answers, ours is right. `holds` must tell what ours answers.
    `engine`: only there."""

    reason: str
    method: str
    path: str
    holds: Callable
    engine: str = ""


def listed(match, request, reference, ours):
    """The reason why the two answers may differ; None if they may not. Raises Difference where ours is not what the
    reason asks for."""
    for known in KNOWN:
        if known.engine in ("", match.engine) and re.fullmatch(known.method, request.method) \
                and re.fullmatch(known.path, request.path.partition("?")[0]) and known.holds(request, reference, ours):
            return known.reason
    return missing_field(match, request, reference, ours) or times_in_utc(match, request, reference, ours)


def missing_field(match, request, reference, ours):
    case = {"method": request.method, "path": request.path, "content": request.content, "headers": request.headers,
            "answer": {"status": reference.status, "body": reference.text}}
    if ours.status != 422 or not missing_fields(case) or reference.status not in (409, 422, 500):
        return None
    expected = expected_answer("orion", case, {"status": ours.status, "body": ours.text})
    if expected == case["answer"]:
        return None
    match.answers(request, Answer(expected["status"], ours.headers, expected["body"]), ours)
    return "a required field that the reference's models do not mark is told to be missing"


def times_in_utc(match, request, reference, ours):
    """A run just made is answered with its times as they were sent; ours has them in UTC at once, as every later answer
    has."""
    path = request.path.partition("?")[0]
    if request.method != "POST" or not re.fullmatch(f"/(flow_runs|task_runs|deployments/{ID}/create_flow_run)/?",
                                                    path) or reference.status != ours.status or ours.status > 201:
        return None
    told = {key: in_utc(reference.json[key]) for key in ("expected_start_time", "next_scheduled_start_time",
                                                         "start_time", "end_time") if reference.json.get(key)}
    if {**reference.json, **told} == reference.json:
        return None
    match.answers(request, Answer(reference.status, reference.headers,
                                  json.dumps({**reference.json, **told}, ensure_ascii=False, separators=(",", ":"))),
                  ours)
    return "the times of a run just made are told in UTC"


def in_utc(time):
    return datetime.datetime.fromisoformat(time).astimezone(datetime.timezone.utc).isoformat()


def crash(status, *words):
    """The reference answers 500 where ours tells the client what is wrong."""
    def holds(request, reference, ours):
        return reference.status == 500 and ours.status == status and any(word in ours.text for word in words)
    return holds


def with_constants(request, reference, ours):
    return reference.status == 500 and ours.status == 200 and all("upstream_dependencies" in node for node in ours.json)


def with_data(request, reference, ours):
    body = request.parts
    state = body.get("state") if isinstance(body, dict) else None
    return reference.status == 500 and ours.status == 201 and isinstance(state, dict) and state.get("data") is not None


def answered_by_head(request, reference, ours):
    return reference.status == 405 and ours.status == 200 and ours.text == ""


def other_port(request, reference, ours):
    name = "PREFECT_ORION_API_PORT"
    return {**reference.json, name: 0} == {**ours.json, name: 0} if reference.status == ours.status == 200 else False


def goes_with_its_data(request, reference, ours):
    return reference.status == 409 and ours.status == 204 and "integrity conflict" in reference.text


def of_a_known_name(request, reference, ours):
    """The reference made the row, and answers with an older one."""
    return reference.status == ours.status == 201 and reference.json["name"] == ours.json["name"] \
        and reference.json["slug"] != ours.json["slug"] == request.parts["slug"]


def too_large(request, reference, ours):
    large = re.search(r"[0-9]{19}", request.content or "")
    return bool(large) \
        and (reference.status in (404, 500) or re.search("empirical_policy|(min|max)_runs", request.content)) \
        and ours.status == 422 and "type_error.integer" in ours.text


def not_finite(request, reference, ours):
    return '"inf"' in (request.content or "") and (reference.status == 500 or "empirical_policy" in request.content) \
        and ours.status == 422 and "type_error.float" in ours.text


def beyond_the_end(request, reference, ours):
    """An offset that PostgreSQL's driver does not take for one."""
    body = request.parts
    return reference.status == 500 and ours.status == 200 and ours.json == [] and isinstance(body, dict) \
        and float(body.get("offset") or 0) >= 2**31


def without_priority(rows):
    return sorted(repr((row["name"], row["description"], row["is_paused"], row["concurrency_limit"],
                        row["filter"] is None)) for row in rows)


def changed_otherwise(one, two):
    """Whether queues of the same names and priorities were changed at other times: numbered anew, and back again."""
    ordered = [sorted(rows, key=lambda row: (row["name"], row["priority"], row["created"])) for rows in (one, two)]
    times = [[datetime.datetime.fromisoformat(row["updated"]) for row in rows] for rows in ordered]
    return any(abs((left - right).total_seconds()) > LOOSE for left, right in zip(*times))


def whole_names(request, rows):
    """The rows of a list by name without those of the names at its ends, of which a part of the list holds any."""
    body = request.parts if isinstance(request.parts, dict) else {}
    cut = {row["name"] for row in rows[:1] if body.get("offset")} \
        | {row["name"] for row in rows[-1:] if body.get("limit")}
    return [row for row in rows if row["name"] not in cut]


def numbered_otherwise(request, reference, ours):
    """The same queues with the same priorities, given to others of them."""
    if reference.status != 200 or ours.status != 200 or len(reference.json) != len(ours.json):
        return False
    theirs, mine = (whole_names(request, answer.json) for answer in (reference, ours))
    numbers = [sorted((row["name"], row["priority"]) for row in rows) for rows in (theirs, mine)]
    same = sorted(priority for _, priority in numbers[0]) == sorted(priority for _, priority in numbers[1]) \
        and without_priority(theirs) == without_priority(mine)
    return same and (numbers[0] != numbers[1] or changed_otherwise(theirs, mine))


def one_numbered_otherwise(request, reference, ours):
    """One of those queues, asked for alone."""
    if reference.status != 200 or ours.status != 200:
        return False
    mine, theirs = ours.json, reference.json
    return mine["name"] == theirs["name"] and mine["priority"] != theirs["priority"] \
        and without_priority([mine]) == without_priority([theirs])


def in_another_pool(request, reference, ours):
    """Without a default agent pool a queue's name means any queue of that name."""
    body = request.parts
    if max(reference.status, ours.status) > 201 or not isinstance(body, dict) or not body.get("work_queue_name") \
            or body.get("work_pool_name"):
        return False
    return reference.json["work_pool_name"] != ours.json["work_pool_name"] \
        and reference.json["work_queue_name"] == ours.json["work_queue_name"]


def beyond_the_column(request, reference, ours):
    """A filter by an integer that no row can hold."""
    return reference.status == 500 and ours.status == 200 and bool(re.search(r"[0-9]{10}", request.content or ""))


def fits_without_a_filter(request, reference, ours):
    """Ours has the queues besides that have no filter."""
    if reference.status != 200 or ours.status != 200:
        return False
    mine, theirs = (collections.Counter((row["name"], row["description"], row["filter"] is None) for row in answer.json)
                    for answer in (ours, reference))
    return theirs < mine and all(without for *_, without in mine - theirs)


def chosen_otherwise(request, reference, ours):
    """As many runs, due at the same moments, but others."""
    if reference.status != 200 or ours.status != 200:
        return False
    mine, theirs = (sorted((row["flow_run"]["next_scheduled_start_time"], row["flow_run"]["name"])
                           for row in answer.json) for answer in (ours, reference))
    return mine != theirs and [due for due, _ in mine] == [due for due, _ in theirs]


ID = r"[^/]+"
ANY_POOL = ("of several queues of one name in different pools, a deployment without a pool gets the one that"
            " happens to lie first")
KNOWN = [
    Known("probes ask for /health by HEAD: 200 in place of a 405", "HEAD", "/health", answered_by_head),
    Known("a new block type is answered with itself, not with another one of its name", "POST", "/block_types/",
          of_a_known_name),
    Known("a reference to no document, or to none that is there: 400 in place of a 500", "POST", "/block_documents/",
          crash(400, "block_document_id")),
    Known("a message template of another form: 422 in place of a 500", "POST", "/flow_run_notification_policies/",
          crash(422, '"message_template"')),
    Known("the default queue of a pool: 409 in place of a 500", "DELETE", f"/experimental/work_pools/{ID}/queues/{ID}",
          crash(409, "Can't delete a pool's default queue.")),
    Known("a move to a schema that is not there: 409 in place of a 500", "PATCH", f"/block_documents/{ID}",
          crash(409, "integrity conflict")),
    Known("an integer that no column holds: 422 in place of a 500, of a row that no list with it can be answered"
          " for, or of a count of runs", "(POST|PUT|PATCH)", "/.*", too_large),
    Known("a duration beyond what Python holds: 422 in place of a 500", "(POST|PATCH)",
          f"/deployments/({ID}(/schedule)?)?", crash(422, "invalid duration format")),
    Known("null in a deployment or a pool: 422 in place of a 500", "(POST|PATCH)",
          f"/(deployments|experimental/work_pools)/({ID})?", crash(422, "type_error.none.not_allowed")),
    Known("a name that no work queue can have: 422 in place of a 500", "(POST|PATCH)", f"/deployments/({ID})?",
          crash(422, "value_error.invalidname")),
    Known("infinity is no number: 422 in place of a 500, or of null", "(POST|PUT|PATCH)", "/.*", not_finite),
    Known("a pool that is not there: 404 in place of a 500", "PATCH", f"/deployments/{ID}", crash(404, "not found")),
    Known("no UUID: 422 in place of a 500", "PATCH", f"/deployments/{ID}",
          crash(422, '"type_error.uuid"', '"value_error.uuid"')),
    Known("what belongs to a run goes with it", "DELETE", f"/(flows|flow_runs|task_runs|deployments)/{ID}",
          goes_with_its_data),
    Known("what belongs to runs goes with them", "POST", "/admin/database/clear", goes_with_its_data),
    Known("the settings tell the port on which the server listens, not the one it would have chosen", "GET",
          "/admin/settings", other_port),
    Known("inputs of tasks that are no tasks are shown in the graph in place of a 500", "GET", f"/flow_runs/{ID}/graph",
          with_constants),
    Known("a run that is created in a state with data: made in place of a 500", "POST",
          f"/(flow_runs|task_runs|deployments/{ID}/create_flow_run)/?", with_data),
    Known("a limit below zero: 422 in place of a 500", "POST", "/ui/flow_runs/history",
          crash(422, "LIMIT must not be negative"), "postgresql"),
    Known(ANY_POOL, "POST", "/deployments/", in_another_pool, "postgresql"),
    Known("one of the queues that are numbered anew, asked for alone", "GET",
          f"/(work_queues/(name/)?|experimental/work_pools/{ID}/queues/){ID}", one_numbered_otherwise, "postgresql"),
    Known("an integer beyond the column in a filter: the rows that it finds in place of a 500", "POST",
          "/.*/(filter|count|history)", beyond_the_column, "postgresql"),
    Known("an offset beyond 32 bits: no rows in place of a 500", "POST", "/.*/filter", beyond_the_end, "postgresql"),
    Known("an integer beyond the column: 422 in place of a 500", "(POST|PUT|PATCH)", "/.*",
          crash(422, "out of range for type"), "postgresql"),
    Known("a queue without a filter fits", "GET", f"/deployments/{ID}/work_queue_check", fits_without_a_filter,
          "postgresql"),
    Known("of runs that are due at one moment, any may be what a limit leaves", "POST",
          f"/experimental/work_pools/{ID}/get_scheduled_flow_runs", chosen_otherwise, "postgresql"),
    Known("queues of one priority are numbered anew in the order in which they happen to lie there", "POST",
          f"(/work_queues|/experimental/work_pools/{ID}/queues)/filter", numbered_otherwise, "postgresql"),
    Known("a run that is not there: 404 in place of a 500", "POST", f"/flow_runs/{ID}/resume",
          crash(404, "Flow run not found")),
]
