#!/usr/bin/env python3
"""tools/chain.py OUT.c ENGINE=FILE …: makes of each chain of migrations the tables that db/chain.h declares. What its
lines mean is said at the head of each file."""
import re
import sys

from embed import literal

KINDS = {"sql": "CHAIN_SQL", "edit": "CHAIN_EDIT", "rebuild": "CHAIN_REBUILD", "delete": "CHAIN_DELETE",
         "step": "CHAIN_STEP"}
COLUMNS = {
    "sqlite": {
        "@id": "id CHAR(36) DEFAULT ((lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' ||"
               " substr(lower(hex(randomblob(2))), 2) || '-' || substr('89ab', abs(random()) % 4 + 1, 1) ||"
               " substr(lower(hex(randomblob(2))), 2) || '-' || lower(hex(randomblob(6))))) NOT NULL",
        "@created": "created DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL",
        "@updated": "updated DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL",
    },
    "postgres": {
        "@id": "id UUID DEFAULT gen_random_uuid() NOT NULL",
        "@created": "created TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP NOT NULL",
        "@updated": "updated TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP NOT NULL",
    },
}


class Revision:
    def __init__(self, name, title):
        self.name, self.title, self.parts = name, title, []

    def add(self, kind, text):
        """SQL that follows SQL joins it."""
        if kind == "sql" and self.parts and self.parts[-1][0] == "sql":
            self.parts[-1][1] += text
        else:
            self.parts.append([kind, text])


def statements(text):
    """Lines that end a statement, with what comes before; other lines that begin with -- alone."""
    statement = ""
    for line in text.splitlines(keepends=True):
        if line.startswith("--") and not statement:
            yield line
        elif statement or line.strip():
            statement += line
            if line.rstrip().endswith(";"):
                yield statement
                statement = ""
    if statement:
        sys.exit(f"a statement without its end: {statement}")


def read(path, columns):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = text[text.index("\n-- revision "):].replace("@standard", "@id,\n    @created,\n    @updated")
    for name, definition in columns.items():
        text = re.sub(rf"{name}\b", definition.replace("\\", r"\\"), text)
    revisions, kind = [], "sql"
    for statement in statements(text):
        if not statement.startswith("-- "):
            revisions[-1].add(kind, statement)
            kind = "sql"
        elif found := re.fullmatch(r"-- revision (\w+): (.*)\n", statement):
            revisions.append(Revision(*found.groups()))
        elif found := re.fullmatch(r"-- step (\w+)\n", statement):
            revisions[-1].add("step", found[1])
        elif statement[3:].strip() in ("edit", "rebuild", "delete"):
            kind = statement[3:].strip()
        else:
            sys.exit(f"{path}: not understood: {statement}")
    return revisions


def table(engine, revisions):
    lines = []
    for revision in revisions:
        lines.append(f"static const ChainPart {engine}_{revision.name}[] = {{")
        for kind, text in revision.parts:
            joined = "\n        ".join(literal(line) for line in text.encode().splitlines(keepends=True))
            lines.append(f"    {{ {KINDS[kind]}, {joined} }},")
        lines += ["    { CHAIN_END, NULL }", "};"]
    lines.append(f"static const Revision {engine}_revisions[] = {{")
    for revision in revisions:
        lines.append(f"    {{ \"{revision.name}\", {literal(revision.title.encode())}, {engine}_{revision.name} }},")
    lines += ["};", f"const Chain chain_{engine} = {{ {engine}_revisions, {len(revisions)} }};"]
    return "\n".join(lines) + "\n"


def main(arguments):
    if len(arguments) < 2 or not all("=" in item for item in arguments[1:]):
        sys.exit(__doc__)
    with open(arguments[0], "w", encoding="ascii") as out:
        out.write('#include "db/chain.h"\n\n')
        for item in arguments[1:]:
            engine, path = item.split("=", 1)
            out.write(table(engine, read(path, COLUMNS[engine])))


if __name__ == "__main__":
    main(sys.argv[1:])
