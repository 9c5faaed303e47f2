"""A page of the documentation as its blocks of code, in order."""
import re
from pathlib import Path
from typing import NamedTuple

from tests.lib import servers

ROOT = servers.ROOT
SHELLS = ("sh", "console", "text")
FENCE = re.compile(r"^( *)```(\S*)$")
# "In `orion.toml`:", "Save this as `hello.py`:": the block that follows is that file.
NAMED_FILE = re.compile(r"`([\w./~-]+\.\w+)`[^`.]*:$")


class Broken(AssertionError):
    """What is wrong with a page, and where."""


class Block(NamedTuple):
    page: str
    line: int       # of its first line of code
    language: str
    text: str
    file: str = ""  # that the page says it is

    @property
    def title(self):
        """What lists of blocks call it: the page, and its first line."""
        return self.page, self.text.partition("\n")[0].strip()

    def fail(self, text):
        raise Broken(f"{self.page}:{self.line}: {text}")


def documentation():
    """Every page for users."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def name_of(path):
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


def blocks(path):
    """The fenced blocks. One without a language, and code that is only indented, is an error: what nobody can tell what
    it is cannot be tried."""
    page, found, start, paragraph, is_free = name_of(path), [], None, "", True
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        fence = FENCE.match(line)
        if start is None and fence:
            start, indent, code = number + 1, fence[1], []
            language, file = fence[2], NAMED_FILE.search(paragraph)
            if not language:
                raise Broken(f"{page}:{number}: this block says no language")
        elif start is not None and fence and not fence[2]:
            is_file = file and language not in SHELLS
            found.append(Block(page, start, language, "\n".join(code) + "\n", file[1] if is_file else ""))
            start, paragraph, is_free = None, "", True
        elif start is not None:
            code.append(line.removeprefix(indent))
        elif line.startswith("    ") and is_free:
            raise Broken(f"{page}:{number}: code stands between ``` with its language")
        else:
            paragraph, is_free = line.rstrip() or paragraph, not line.strip()
    return found
