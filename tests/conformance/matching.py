"""Compares two answers to one request: identifiers by their pairs, times loosely, lists by the order that was asked
for."""
import datetime
import json
import re
from pathlib import Path

from tests.lib.api_client import HEADERS
from tests.lib.comparison import SLUG, Comparison, Difference, TIME
from .wire import IDENTIFIER, canonical, parsed

MINUTE = datetime.timedelta(minutes=1)
DURATION = re.compile(r"(?<=: )\d+\.\d+")
TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?[+-]\d\d:\d\d")
# Lists that the reference makes from a Python set, or orders by identifiers of which ours are others.
SETS = ("tags", "allowed_schemes", "pause_keys", "capabilities")
# The states in a part of a history: on SQLite sorted, on PostgreSQL in the order that its plan happens to give.
SETS_ON = {"sqlite": SETS, "postgresql": (*SETS, "states")}
# How we describe the block types that are registered at start, by slug: the sentences are our own.
OWN_WORDS = {
    slug: {name: kind[name] for name in ("description", "code_example")}
    for collection in json.loads(
        (Path(__file__).resolve().parents[2] / "src/blocks/block_types.json").read_text())["collections"].values()
    for slug, kind in collection["block_types"].items()
}

# What a list is ordered by: the columns of which the first that is there counts, by operation and by the sort that was
# asked for.
BY_SORT = {
    "ID": ["id"], "START_TIME": ["start_time", "expected_start_time"], "EXPECTED_START_TIME": ["expected_start_time"],
    "NAME": ["name"], "NEXT_SCHEDULED_START_TIME": ["next_scheduled_start_time"], "END_TIME": ["end_time"],
    "CREATED": ["created"], "UPDATED": ["updated"], "TIMESTAMP": ["timestamp"], "LEVEL": ["level"],
    "FLOW_RUN_ID": ["flow_run_id"], "TASK_RUN_ID": ["task_run_id"],
}
DEFAULT_SORT = {"flow_runs": "ID_DESC", "task_runs": "ID_DESC", "flows": "NAME_ASC", "deployments": "NAME_ASC",
                "logs": "TIMESTAMP_ASC", "history": "EXPECTED_START_TIME_DESC"}
FIXED_ORDER = {
    "/saved_searches/filter": ["name"], "/concurrency_limits/filter": ["tag"], "/block_types/filter": ["name"],
    "/block_schemas/filter": ["created"], "/block_documents/filter": ["name"], "/work_queues/filter": ["name"],
    "/experimental/work_pools/filter": ["name"], "/flow_run_notification_policies/filter": ["id"],
    "/queues/filter": ["priority"], "/workers/filter": ["last_heartbeat_time"],
    "/get_runs": ["next_scheduled_start_time"], "/block_documents": ["name"], "/graph": ["id"],
    "/get_scheduled_flow_runs": ["id"],
}
NOT_COMPARABLE = ("id", "flow_run_id", "task_run_id")


def order_of(path, body):
    """The columns that a list is ordered by; None for lists whose order is part of the answer."""
    path = path.partition("?")[0]
    family = path.split("/")[1]
    if path == "/ui/flow_runs/history":  # its rows have little of what they are ordered by
        sort = body.get("sort") if isinstance(body, dict) else None
        return ["timestamp"] if (sort or "").startswith("START_TIME") else ["id"]
    # its page is chosen before it is ordered
    if path == "/block_capabilities/" or (path == "/block_documents/filter" and is_window(body)):
        return ["id"]
    if path.endswith("/filter") and family in DEFAULT_SORT:
        sort = body.get("sort") if isinstance(body, dict) else None
        return BY_SORT[(sort or DEFAULT_SORT[family]).rpartition("_")[0]]
    return next((columns for ending, columns in FIXED_ORDER.items() if path.endswith(ending)), None)


def is_window(body):
    """Whether a list may be a part of what there is."""
    return isinstance(body, dict) and (body.get("limit") is not None or bool(body.get("offset")))


class Match(Comparison):
    """A Comparison for whole answers. `weak` counts the groups of rows of which only the number could be compared."""

    def __init__(self, engine="sqlite"):
        super().__init__(engine)
        self.sets = SETS_ON[engine]
        self.weak = self.described = 0
        self.whole_page = 200
        self.begun = datetime.datetime.now(datetime.timezone.utc).isoformat()

    def answers(self, request, one, two):
        """Raises Difference if the two answers to the request differ."""
        if one.status != two.status:
            raise Difference(f"status {one.status} and {two.status}")
        for name in HEADERS:
            if not self.text(one.headers.get(name, ""), two.headers.get(name, ""), None):
                raise Difference(f"header {name}: {one.headers.get(name)!r} and {two.headers.get(name)!r}")
        left, right = one.json, two.json
        if (left is None) != (right is None) or (left is None and not self.text(one.text, two.text, None)):
            raise Difference(f"body: {one.text[:500]!r} and {two.text[:500]!r}")
        if isinstance(left, list) and isinstance(right, list) and one.status == 200:
            columns = order_of(request.path, request.parts)
            if columns and request.path.startswith("/ui/flow_runs/history"):
                return self.points(left, right, columns, is_window(request.parts))
            if columns:
                return self.rows(left, right, columns, is_window(request.parts))
        self.value(left, right, "body", None)
        if is_plain(one.text) and not is_plain(two.text):
            raise Difference("the JSON is written otherwise")
        return None

    def points(self, one, two, columns, window):
        """Rows of a chart. They tell too little to know by them which run is which: pairs that are new are none to
        remember."""
        known = self.forward.copy(), self.backward.copy()
        try:
            return self.rows(one, two, columns, window)
        finally:
            self.forward, self.backward = known

    def rows(self, one, two, columns, window):
        """Two ordered lists: rows that the order does not tell apart may stand in any order."""
        if len(one) != len(two):
            raise Difference(f"{len(one)} rows and {len(two)} rows")
        window = window or len(one) == self.whole_page
        if has_made_up_names(one + two, columns):
            columns = ["id"]
        if columns[0] in NOT_COMPARABLE:
            groups = [(0, len(one))]
        else:
            groups = list(grouped(one, columns))
        for first, last in groups:
            # the page is chosen by identifiers of which ours are others
            by_chance = window and columns[0] in NOT_COMPARABLE
            left, right = one[first:last], self.paired(one[first:last], two[first:last], by_chance)
            if right is None and window and (first == 0 or last == len(one)) \
                    and same_place(one[first:last], two[first:last], columns):
                self.weak += 1
                continue
            for place, pair in enumerate(zip(left, two[first:last] if right is None else right)):
                self.value(*pair, f"body[{first + place}]", None)

    def paired(self, one, two, by_chance=False):
        """The rows of the second list in the order of the first, as far as they are known; None if they are not the
        same rows, as lists may hold that took them by chance."""
        if one and isinstance(one[0], str):
            return sorted(two, key=one.index) if sorted(one) == sorted(two) else None
        if not one or not isinstance(one[0], dict):
            return two
        left, right = [identifier_of(row) for row in one], [identifier_of(row) for row in two]
        if left[0] is None:
            return two
        rows = dict(zip(right, two))
        unknown_there = {name: self.likeness(row, self.backward)
                         for name, row in rows.items() if name not in self.backward}
        unknown_here = {name: self.likeness(row, self.forward, self.forward)
                        for name, row in zip(left, one) if name not in self.forward}
        if len(unknown_here) != len(unknown_there):
            return None
        pairs = dict(self.forward)
        for name, like in unknown_here.items():
            pairs[name] = next((other for other, text in unknown_there.items() if text == like), None)
            unknown_there.pop(pairs[name], None)
        if by_chance and unknown_there:
            return None
        # What is left tells times that are not the same on both, such as those of a schedule that begins now: in the
        # order of what they tell.
        pairs.update(zip(sorted((name for name in unknown_here if pairs[name] is None), key=unknown_here.get),
                         sorted(unknown_there, key=unknown_there.get)))
        if any(pairs[name] not in rows for name in left):
            return None
        return [rows[pairs[name]] for name in left]

    def knows(self, name):
        """Whether it is known which row of the second server a row of the first is."""
        return isinstance(name, str) and canonical(name) in self.forward

    def likeness(self, row, known, names=None):
        """What a row tells beside times of this run, durations, names made up and unknown identifiers, the others as
        the second server calls them."""
        def told(found):
            name = canonical(found[0])
            return (names[name] if names else name) if name in known else "?"
        if isinstance(row.get("name"), str) and SLUG.match(row["name"]):
            row = {**row, "name": "made up"}
        return DURATION.sub("*", TIMES.sub(self.far_time, IDENTIFIER.sub(told, json.dumps(row, sort_keys=True))))

    def far_time(self, found):
        """A time that a request named, or a schedule: both servers have the same."""
        time = datetime.datetime.fromisoformat(found[0])
        near = datetime.datetime.fromisoformat(self.begun) - MINUTE < time \
            < datetime.datetime.now(datetime.timezone.utc) + MINUTE
        return "*" if near else time.astimezone(datetime.timezone.utc).isoformat()

    def objects(self, one, two, where):
        own = OWN_WORDS.get(str(two.get("slug")), {})
        described = {name: words for name, words in own.items() if two.get(name) == words
                     and isinstance(one.get(name), str)}
        self.described += bool(described)
        one = {**one, **described}
        super().objects(one, two, where)

    def lists(self, one, two, where, key):
        if key in self.sets and len(one) == len(two):
            one, two, key = sorted(one, key=json.dumps), sorted(two, key=json.dumps), None
        super().lists(one, two, where, key)

    def value(self, one, two, where, key):
        if isinstance(one, float) and isinstance(two, float) and where.endswith(("duration", "lateness")):
            key = "estimated_run_time"
        super().value(one, two, where, key)

    def text(self, one, two, key):
        if TIME.match(one) and TIME.match(two):
            return self.time(one, two, key)
        for pattern, same in ((IDENTIFIER, self.identifiers), (TIMES, self.time)):
            found = [[match[0] for match in pattern.finditer(text)] for text in (one, two)]
            if len(found[0]) != len(found[1]) or not all(same(*pair, key) for pair in zip(*found)):
                return False
            one, two = pattern.sub("*", one), pattern.sub("*", two)
        return one == two or (key == "name" and bool(SLUG.match(one)) and bool(SLUG.match(two)))

    def time(self, one, two, key):
        """Besides: what was there before the first request was made whenever each server started."""
        if key in ("created", "updated") and max(one, two) < self.begun:
            return True
        return super().time(one, two, key)

    def identifiers(self, one, two, _):
        same_form = ("-" in one) == ("-" in two) and (one == one.lower()) == (two == two.lower())
        return same_form and self.identifier(canonical(one), canonical(two))


def identifier_of(row):
    if not isinstance(row, dict):
        return None
    return row.get("id") or (row.get("flow_run") or {}).get("id")


def has_made_up_names(rows, columns):
    return columns == ["name"] and any(SLUG.match(row.get("name") or "") for row in rows if isinstance(row, dict))


def key_of(row, columns):
    return next((row[name] for name in columns if row.get(name) is not None), None) if isinstance(row, dict) else None


def same_place(one, two, columns):
    """Whether the order does not tell two stretches of rows apart."""
    if columns[0] in NOT_COMPARABLE:
        return True
    keys = {key_of(row, columns) for row in one + two}
    return len(keys) == 1 or columns[0] in ("created", "updated")


def grouped(rows, columns):
    """Stretches of rows of which the order's columns are equal."""
    first = 0
    for place in range(1, len(rows) + 1):
        if place == len(rows) or key_of(rows[place], columns) != key_of(rows[first], columns):
            yield first, place
            first = place


def is_plain(text):
    """Whether JSON is written as the reference mostly does: no spaces, no escapes that are not needed."""
    body = parsed(text)
    return body is None or text == json.dumps(body, ensure_ascii=False, separators=(",", ":"))
