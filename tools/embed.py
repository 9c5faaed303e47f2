#!/usr/bin/env python3
"""tools/embed.py OUT.c NAME=FILE …: writes each file as a C array `const char NAME[]`, terminated by a zero byte."""
import sys


def literal(line):
    """The bytes of a line as a C string; an escape is always three octal digits, so that what follows cannot join
    it."""
    plain = set(range(32, 127)) - set(b'"\\?')
    return '"' + "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in line) + '"'


def array(name, content):
    lines = [literal(line) for line in content.splitlines(keepends=True)] or ['""']
    return f"extern const char {name}[];\nconst char {name}[] =\n    " + "\n    ".join(lines) + ";\n"


def main(arguments):
    if len(arguments) < 2 or not all("=" in item for item in arguments[1:]):
        sys.exit(__doc__)
    with open(arguments[0], "w", encoding="ascii") as out:
        for item in arguments[1:]:
            name, path = item.split("=", 1)
            with open(path, "rb") as file:
                out.write(array(name, file.read()))


if __name__ == "__main__":
    main(sys.argv[1:])
