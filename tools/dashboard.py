#!/usr/bin/env python3
"""tools/dashboard.py OUT.c [WHEEL]: writes the dashboard's files out of the wheel as the table of web/static_files.h.

What gets smaller is kept compressed only: every browser takes gzip. Without a wheel the table is empty."""
import gzip
import hashlib
import sys
import zipfile

from embed import array

FOLDER = "prefect/orion/ui/"
SMALLER = 0.9  # what gzip makes no smaller than this (pictures) is kept as it is


def read_files(wheel):
    """Path below the folder -> bytes, sorted."""
    with zipfile.ZipFile(wheel) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith(FOLDER) and not name.endswith("/"))
        if FOLDER + "index.html" not in names:
            sys.exit(f"{wheel}: holds no {FOLDER}index.html")
        return {name[len(FOLDER):]: archive.read(name) for name in names}


def rows(files):
    for number, (path, plain) in enumerate(files.items()):
        packed = gzip.compress(plain, compresslevel=9, mtime=0)
        gzipped = len(packed) < SMALLER * len(plain)
        tag = hashlib.sha256(plain).hexdigest()[:16]
        content = packed if gzipped else plain
        fields = f'"{path}", "{tag}", file_{number}, {len(content)}, {len(plain)}, {str(gzipped).lower()}'
        yield array(f"file_{number}", content), f"    {{ {fields} }},\n"


def main(arguments):
    if len(arguments) not in (1, 2):
        sys.exit(__doc__)
    parts = list(rows(read_files(arguments[1]))) if len(arguments) == 2 else []
    with open(arguments[0], "w", encoding="ascii") as out:
        out.write('#include "web/static_files.h"\n\n')
        out.writelines(data for data, _ in parts)
        out.write("const StaticFile static_files[] = {\n")
        out.writelines(row for _, row in parts)
        out.write("    { .path = NULL },\n};\n")


if __name__ == "__main__":
    main(sys.argv[1:])
