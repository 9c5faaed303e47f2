#!/usr/bin/env python3
"""tools/notices.py WHEEL FILE: writes what the licences of the embedded files ask to be passed on: the notices in the
dashboard's scripts, as they are there."""
import re
import sys
import textwrap

from dashboard import read_files

INTRODUCTION = """\
What of others is inside the program

The dashboard and the block types of the collections come from the package prefect 2.7.12 as it is published on PyPI.

    Copyright (c) Prefect Technologies, Inc.
    Licensed under the Apache License, Version 2.0 (on Debian: /usr/share/common-licenses/Apache-2.0)

The dashboard's scripts and styles are bundles, in which other works are contained. These are the notices that they
carry, word for word.
"""


def notices(files):
    """The comments with a licence or a copyright in scripts and styles, each once. The mark has a line of its own."""
    found = {}
    for path, content in files.items():
        if path.endswith((".js", ".css")):
            for comment in re.findall(r"/\*[!*]\n.*?\*/", content.decode(), re.S):
                if re.search(r"licen[cs]e|copyright|\(c\)", comment, re.I):
                    found.setdefault(comment, path)
    return found


def main(arguments):
    if len(arguments) != 2:
        sys.exit(__doc__)
    found = notices(read_files(arguments[0]))
    if not found:
        sys.exit(f"{arguments[0]}: the dashboard's scripts carry no notices: this is another dashboard")
    with open(arguments[1], "w", encoding="utf-8") as out:
        out.write(INTRODUCTION)
        for comment, path in found.items():
            out.write(f"\nIn {path}:\n\n{textwrap.indent(textwrap.dedent(comment), '    ')}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
