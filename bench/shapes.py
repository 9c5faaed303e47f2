"""The requests that are measured: bench/shapes.json, recorded from the dashboard and the CLI by bench.record, and
bench/more_shapes.json, what clients ask beside that and what is dear. Both are data: {now-604800} stands for the moment
604,800 s ago, {flow_run:2} for the identifier of the third of the runs that Places finds in a database."""
import datetime
import json
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
RECORDED, MORE = HERE / "shapes.json", HERE / "more_shapes.json"
PLACE = re.compile(r"\{(\w+):(\d+)\}")
MOMENT = re.compile(r"\{now([+-]\d+)\}")

# By kind of identifier: those that the places stand for, the first for number 0. What has much comes first, since that
# is what takes long: the flow with the most runs, a run with many tasks and a subflow.
KINDS = {
    "flow": "SELECT flow_id FROM flow_run GROUP BY flow_id ORDER BY count(*) DESC, flow_id LIMIT 200",
    "flow_run": "SELECT parent.flow_run_id FROM flow_run AS child JOIN task_run AS parent"
                " ON parent.id = child.parent_task_run_id ORDER BY parent.created DESC, parent.id LIMIT 400",
    "task_run": "SELECT id FROM task_run WHERE state_type = 'COMPLETED' ORDER BY created DESC, id LIMIT 400",
    "deployment": "SELECT deployment_id FROM flow_run WHERE deployment_id IS NOT NULL GROUP BY deployment_id"
                  " ORDER BY count(*) DESC, deployment_id LIMIT 200",
    "work_queue": "SELECT work_queue_id FROM flow_run WHERE work_queue_id IS NOT NULL GROUP BY work_queue_id"
                  " ORDER BY count(*) DESC, work_queue_id LIMIT 100",
    "block_type": "SELECT id FROM block_type ORDER BY slug",
}


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def seconds_from_now(text):
    return (datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) - now()).total_seconds()


class Places:
    """The identifiers that stand for the places in a database (tests.lib.servers.Store)."""

    def __init__(self, store):
        self.store, self.found = store, {}

    def ids(self, kind):
        if kind not in self.found:
            self.found[kind] = list(dict.fromkeys(row[0] for row in self.store.execute(KINDS[kind])))
        return self.found[kind]

    def kinds(self):
        """Every identifier's kind."""
        return {row[0]: kind for kind in KINDS for row in self.store.execute(f"SELECT id FROM {kind}")}

    def fill(self, shape, moment):
        """The request as it is sent: method, path, body as bytes."""
        def identifier(found):
            ids = self.ids(found[1])
            return ids[int(found[2]) % len(ids)]

        def time(found):
            return (moment + datetime.timedelta(seconds=int(found[1]))).isoformat()

        path = PLACE.sub(identifier, shape["path"])
        if shape["body"] is None:
            return shape["method"], path, None
        return shape["method"], path, MOMENT.sub(time, PLACE.sub(identifier, json.dumps(shape["body"]))).encode()


def load(*files):
    """The shapes, each with a name of its own: where it came from, and for a recorded one what it asks."""
    shapes, names = [], {}
    for file in files or (MORE, RECORDED):
        for shape in json.loads(file.read_text()):
            name = shape["source"]
            if file == RECORDED:
                name += ": " + PLACE.sub("ID", shape["path"]).strip("/").replace("/", " ")
            names[name] = names.get(name, 0) + 1
            shapes.append({"name": name + (f" ({names[name]})" if names[name] > 1 else ""), **shape})
    return shapes


def as_text(shapes):
    """One on a line."""
    return "[\n" + ",\n".join(json.dumps(shape) for shape in shapes) + "\n]\n"
