"""Compares two answers to the same request: identifiers by the place where they were first seen, times loosely."""
import datetime
import re

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?([+-]\d\d:\d\d)$")
SLUG = re.compile(r"[a-z]+-[a-z]+$")
LOOSE = 30.0  # seconds between what the two servers call now
# Columns of JSON whose keys come in another order from PostgreSQL: docs/differences.md.
KEPT_BY_JSONB = re.compile(r"\.(parameters|task_inputs|schedule|filters|fields|base_job_template)\b")
RUNNING_CLOCKS = ("estimated_run_time", "estimated_start_time_delta", "total_run_time", "delay_seconds", "duration",
                  "lateness")
SUMS = ("sum_estimated_run_time", "sum_estimated_lateness")  # of the clocks of as many runs as stand beside them


class Difference(Exception):
    pass


class Comparison:
    """Remembers over a whole history which identifier of the one is which of the other, and the same of the moments."""

    def __init__(self, engine="sqlite"):
        self.engine = engine
        self.forward, self.backward, self.moments = {}, {}, {}

    def compare(self, request, first, second):
        if first[0] != second[0]:
            raise Difference(f"status {first[0]} and {second[0]}")
        self.value(self.ordered(request, first[1]), self.ordered(request, second[1]), "body", None)

    @staticmethod
    def ordered(request, body):
        """Lists that the servers order by identifier, in the order of the names that the history gave."""
        if isinstance(body, list) and request["path"].endswith("/graph"):
            return sorted(body, key=lambda node: node["name"])
        return body

    def value(self, one, two, where, key):
        if isinstance(one, bool) or isinstance(two, bool) or one is None or two is None:
            same = one is two
        elif key in RUNNING_CLOCKS:
            same = isinstance(two, type(one)) and abs(one - two) < LOOSE \
                and (key != "total_run_time" or (one == 0) == (two == 0))
        elif type(one) is not type(two):
            same = False
        elif isinstance(one, dict):
            return self.objects(one, two, where)
        elif isinstance(one, list):
            return self.lists(one, two, where, key)
        elif isinstance(one, str):
            same = self.text(one, two, key)
        else:
            same = one == two
        if not same:
            raise Difference(f"at {where}: {one!r} and {two!r}")

    def objects(self, one, two, where):
        has_order = self.engine == "sqlite" or not KEPT_BY_JSONB.search(where)
        if list(one) != list(two) if has_order else one.keys() != two.keys():
            raise Difference(f"keys at {where}: {list(one)} and {list(two)}")
        for key in one:
            if key in SUMS:
                self.sum(one, two, f"{where}.{key}", key)
            else:
                self.value(one[key], two[key], f"{where}.{key}", key)

    @staticmethod
    def sum(one, two, where, key):
        """Each run may differ as much as one alone; that the same runs are counted, the number beside it shows."""
        if not isinstance(two[key], type(one[key])) or abs(one[key] - two[key]) >= LOOSE * max(one["count_runs"], 1):
            raise Difference(f"at {where}: {one[key]!r} and {two[key]!r} of {one['count_runs']} runs")

    def lists(self, one, two, where, key):
        if len(one) != len(two):
            raise Difference(f"lengths at {where}: {one!r} and {two!r}")
        if key in ("active_slots", "pause_keys"):  # sets
            two = sorted(two, key=lambda item: self.backward.get(item, item))
            one = sorted(one)
        for place, (left, right) in enumerate(zip(one, two)):
            self.value(left, right, f"{where}[{place}]", key)

    def text(self, one, two, key):
        if TIME.match(one) and TIME.match(two):
            return self.time(one, two, key)
        if UUID.search(one):
            parts = UUID.split(one), UUID.split(two)
            found = UUID.findall(one), UUID.findall(two)
            return parts[0] == parts[1] and all(self.identifier(*pair) for pair in zip(*found))
        return one == two or (key == "name" and bool(SLUG.match(one)) and bool(SLUG.match(two)))

    def identifier(self, one, two):
        return self.forward.setdefault(one, two) == two and self.backward.setdefault(two, one) == one

    def time(self, one, two, key):
        """Near each other, in the same zone; and what is one moment of the first server is one moment of the second."""
        if one == two:
            return True
        left, right = (datetime.datetime.fromisoformat(text) for text in (one, two))
        if abs((left - right).total_seconds()) > LOOSE or left.utcoffset() != right.utcoffset():
            return False
        return key in ("created", "updated") or self.moments.setdefault(left, right) == right
