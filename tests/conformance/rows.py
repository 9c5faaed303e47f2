"""The rows that there are, and choices among them that depend on the seed alone: what requests are made from."""
import random

NOBODY = "00000000-0000-4000-8000-000000000000"


class Rows:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.rows = {}  # by kind, then identifier
        self.names = 0

    def name(self, word):
        """A name that no row has, and that sorts as it was made."""
        self.names += 1
        return f"{word}-{self.names:05d}"

    def all(self, kind):
        return list(self.rows.get(kind, {}).values())

    def row(self, kind):
        """One of the rows of a kind, as last seen."""
        rows = self.all(kind)
        return self.random.choice(rows) if rows else {"id": NOBODY, "name": "none", "slug": "none", "tag": "none",
                                                      "checksum": "none", "flow_id": NOBODY}

    def id(self, kind):
        return self.row(kind)["id"]

    def pick(self, items):
        return self.random.choice(list(items))

    def chance(self, share):
        return self.random.random() < share
