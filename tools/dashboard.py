#!/usr/bin/env python3
"""tools/dashboard.py OUT.c [WHEEL]: writes the dashboard's files out of the wheel as the table of web/static_files.h.

What gets smaller is kept compressed only: every browser takes gzip. Without a wheel the table is empty.

The bundle is built to be served at the root of its host. Where a text has a path that begins there, the server may have
to insert the path below which a proxy publishes it. Compression starts anew at these places, so that this can be done
without unpacking."""
import gzip
import hashlib
import re
import sys
import zipfile
import zlib

from embed import array

FOLDER = "prefect/orion/ui/"
SMALLER = 0.9  # what gzip makes no smaller than this (pictures) is kept as it is

# What is before a place and after it, which files have it, and how many there must be of it in all of them.
PLACES = [
    (rb'(?:href|src)="', rb"/(?:assets|ico)/", r"index\.html", 13),  # what the page loads
    (rb'return"', rb'/"\}', r"assets/meta-.*\.js", 1),               # the root of the pages' own addresses
    (rb'return"', rb'/"\+e\}', r"assets/index-.*\.js", 1),            # what pages load later
    (rb'"href",["`]', rb"/ico/", r"assets/index-.*\.js", 4),          # icons
    (rb"window\.location\.origin\+", rb"l\.path", r"assets/index-.*\.js", 1),  # the link of "Share View"
    (rb"url\(", rb"/[a-z]", r"assets/index-.*\.css", 3),             # pictures
    (rb'"src": "', rb"/ico/", r"ico/site\.webmanifest", 2),
]


def read_files(wheel):
    """Path below the folder -> bytes, sorted."""
    with zipfile.ZipFile(wheel) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith(FOLDER) and not name.endswith("/"))
        if FOLDER + "index.html" not in names:
            sys.exit(f"{wheel}: holds no {FOLDER}index.html")
        return {name[len(FOLDER):]: archive.read(name) for name in names}


def find_places(files):
    """Path -> the places in the file, in order: where they are, and whether the insertion must be a string of its own
    in a script."""
    found = {path: [] for path in files}
    for before, after, names, expected in PLACES:
        count = 0
        for path in files:
            if not re.fullmatch(names, path):
                continue
            for match in re.finditer(rb"(?:%s)(?=%s)" % (before, after), files[path]):
                found[path].append((match.end(), before.endswith(rb"\+")))
                count += 1
        if count != expected:
            sys.exit(f"{names}: {before} before {after} is there {count} times, not {expected}: this is another "
                     "dashboard, which may have other paths that begin at the root of its host")
    return {path: sorted(places) for path, places in found.items()}


def compress(plain, places):
    """The compressed file, and where in it the places are."""
    if not places:
        return gzip.compress(plain, compresslevel=9, mtime=0), []
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    out, offsets, start = b"\x1f\x8b\x08" + bytes(5) + b"\x02\xff", [], 0
    for place, _ in places:
        out += packer.compress(plain[start:place]) + packer.flush(zlib.Z_FULL_FLUSH)
        offsets.append(len(out))
        start = place
    out += packer.compress(plain[start:]) + packer.flush()
    return out + zlib.crc32(plain).to_bytes(4, "little") + len(plain).to_bytes(4, "little"), offsets


def place_rows(plain, places, offsets):
    """Each with the checksum of what is before it, from the last one on."""
    start = 0
    for (place, quoted), offset in zip(places, offsets):
        yield f"    {{ {place}, {offset}, {zlib.crc32(plain[start:place])}u, {str(quoted).lower()} }},\n"
        start = place


def rows(files):
    """For each file the arrays that hold it, and its row."""
    all_places = find_places(files)
    for number, (path, plain) in enumerate(files.items()):
        places = all_places[path]
        packed, offsets = compress(plain, places)
        gzipped = len(packed) < SMALLER * len(plain)
        tag = hashlib.sha256(plain).hexdigest()[:16]
        content = packed if gzipped else plain
        arrays = array(f"file_{number}", content)
        if places:
            arrays += f"static const StaticPlace places_{number}[] = {{\n"
            arrays += "".join(place_rows(plain, places, offsets)) + "};\n"
        fields = f'"{path}", "{tag}", file_{number}, {len(content)}, {len(plain)}, {str(gzipped).lower()}'
        if places:
            fields += f", places_{number}, {len(places)}, {zlib.crc32(plain[places[-1][0]:])}u"
        yield arrays, f"    {{ {fields} }},\n"


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
