#!/usr/bin/env python3
"""tools/lint.py [-v]: the rules of CONTRIBUTING.md that a program can check.
Prints each violation as file:line: rule: text, and exits 1 if there is any.

-v also prints what is allowed but long (functions over 50 lines). The compiler checks the rest (see tools/run_lint)."""
import re
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent

# Who may include whom. A folder sees itself and these; the picture is in ARCHITECTURE.md.
LAYERS = {"base": [], "config": ["base"], "access": ["config"], "db": ["config"], "entity": ["db"],
          "schedule": ["base"], "python": ["base"], "notify": ["base"], "http": ["base"], "blocks": ["entity"],
          "model": ["entity", "schedule", "python"], "orchestration": ["model"],
          "services": ["orchestration", "blocks", "notify"], "api": ["orchestration", "blocks", "http", "access"],
          "watch": ["api", "services"], "web": ["watch"],
          "upgrade": ["blocks", "python"], "server": ["web", "upgrade"], "cli": ["server"], ".": ["cli"]}

# Headers of engines, and the only files that may know them.
ENGINES = {"sqlite3.h": r"src/db/sqlite\w*\.c", "libpq-fe.h": r"src/db/(postgres\w*|libpq)\.[ch]"}

BANNED = {
    "strcpy|strcat|sprintf|vsprintf|gets|strncpy|strncat|stpcpy": "unbounded or unterminated: use Buf or snprintf",
    "alloca|setjmp|longjmp|sigsetjmp|siglongjmp": "no hidden control flow, no unbounded stack",
    "strtok|localtime|gmtime|asctime|ctime|rand|srand|random": "not safe with threads",
    "atoi|atol|atoll|atof|scanf|sscanf|fscanf": "hides errors: parse with a check",
    "system|popen": "no shell",
}
BANNED_BUT_IN = {  # functions that have one home
    "exit|_exit|quick_exit": (r"src/(main|base/arena|db/sqlite_fault)\.c",
                              "only main ends the process (and the allocator, out of memory; and a failed fsync)"),
    "setenv|putenv": (r"tests/.*", "not safe with threads"),
    "clock_now": (r"src/(base/clock|db/db|api/(dispatch|socket)|cli/(cmd_(copy|key)|age)|services/.*|watch/watch)"
                  r"\.[ch]|(tests|bench)/.*",
                  "time comes from the context: a transaction, a request, a service's round"),
    "pthread_create": (r"src/base/thread\.c", "signals are for the main thread: thread_start"),
    "malloc|calloc|realloc|strdup|strndup": (r"src/base/arena\.c", "use an arena, or xmalloc and its kin"),
}

FUNCTION_LINES, FUNCTION_LINES_WARN, NESTING, COMPLEXITY = 100, 50, 3, 30
FILE_LINES, HEADER_LINES = 800, 150
WIDTH = 120

# What is checked for it.
WIDTH_CHECKED = ["*.md", "docs/*.md", "src/*/*.md", "src/**/*.[ch]", "tests/unit/*.[ch]", "tests/fuzz/*.[ch]",
                 "tests/power/*.[ch]", "tools/*.py", "tests/**/*.py", "bench/*.py"]

# What takes effect only through a table that names it: its definition, and the file of that table.
LISTED = {
    r"src/api/routes/\w+\.c": (r"^const RouteFamily (\w+)", "src/api/routes/routes.c"),
    r"src/orchestration/\w+\.c": (r"^const Rule (\w+)", "src/orchestration/policy.c"),
    r"src/services/\w+\.c": (r"^bool (\w+_tick)\(", "src/services/service.c"),
}

# The mutable variables of file scope there are, and why. A new one needs a reason here.
MUTABLE = {
    "src/base/log.c": "the log level and format: settings, written before the first request",
    "src/blocks/encryption.c": "the key of block documents: a setting, written once before the first request",
    "src/db/postgres_cancel.c": "how many threads end statements, some of which outlive their database",
    "src/db/postgres_lookup.c": "how many threads look up names, some of which outlive their database",
    "src/model/run_bodies.c": "the longest cache key: a setting, written once before the first request",
    "src/server/server.c": "what a signal handler can reach",
}



class Finding(NamedTuple):
    path: str
    line: int
    rule: str
    text: str
    warning: bool = False

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.text}"


class Function(NamedTuple):
    name: str
    line: int
    body: str


def allowed_folders(folder):
    """The folders below one, itself included."""
    found, todo = set(), [folder]
    while todo:
        here = todo.pop()
        if here not in found:
            found.add(here)
            todo += LAYERS[here]
    return found


def blank_comments(text):
    """The text with comments and the insides of literals blanked, lines kept, so that the rules see only code."""
    def blank(match):
        token = match.group(0)
        if token[0] == "/":
            return re.sub(r"[^\n]", " ", token)
        return token[0] + " " * (len(token) - 2) + token[-1]
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def blank_directives(code):
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code, flags=re.M)


def closing_brace(code, opening):
    depth = 0
    for at in range(opening, len(code)):
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        if depth == 0:
            return at
    return len(code) - 1


def find_functions(code):
    """Definitions: a brace at the top level after a parameter list. What initialises a table follows '=' and is
    none."""
    code = blank_directives(code)
    functions, at = [], 0
    while (opening := code.find("{", at)) >= 0:
        end = closing_brace(code, opening)
        head = re.split(r"[;}]", code[at:opening])[-1]
        match = re.search(r"(\w+)\s*\((?:[^{}]*)\)\s*$", head)
        if match and "=" not in head:
            name = re.search(r"(\w+)\s*\(", head).group(1)
            start = opening - len(head) + len(head) - len(head.lstrip())
            functions.append(Function(name, code.count("\n", 0, start) + 1, code[start:end + 1]))
        at = end + 1
    return functions


def nesting(body):
    """How deep the blocks of if, for, while, do and switch stand in each other; braces of values do not count."""
    deepest, stack = 0, []
    for match in re.finditer(r"[{}]", body):
        if match.group(0) == "}":
            if stack:
                stack.pop()
            continue
        before = body[:match.start()].rstrip()
        is_value = before.endswith(("=", ",", "(", "{", "]")) \
            or re.search(r"\(\s*(?:const\s+)?(?:struct\s+)?\w+\s*(?:\[[^]]*\])?\s*\*?\)$", before) \
            and not re.search(r"\b(?:if|while|for|switch)\s*\([^()]*\)$", before)
        stack.append(not is_value)
        deepest = max(deepest, sum(stack) - 1)
    return deepest


def complexity(body):
    return 1 + len(re.findall(r"\b(?:if|for|while|case)\b|&&|\|\||\?", body))


def check_functions(path, code):
    for function in find_functions(code):
        lines, deep, branches = function.body.count("\n") + 1, nesting(function.body), complexity(function.body)
        if lines > FUNCTION_LINES:
            yield Finding(path, function.line, "length",
                          f"{function.name} has {lines} lines (at most {FUNCTION_LINES})")
        elif lines > FUNCTION_LINES_WARN:
            yield Finding(path, function.line, "length", f"{function.name} has {lines} lines", warning=True)
        if deep > NESTING:
            yield Finding(path, function.line, "nesting", f"{function.name} nests {deep} blocks (at most {NESTING})")
        if branches > COMPLEXITY:
            yield Finding(path, function.line, "complexity",
                          f"{function.name} has {branches} paths (at most {COMPLEXITY})")


def check_includes(path, text):
    folder = path.split("/")[1] if path.count("/") > 1 else "."
    if folder not in LAYERS:
        yield Finding(path, 1, "layers", f"src/{folder} is not a known layer")
        return
    allowed = allowed_folders(folder)
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not match:
            continue
        kind, name = match.groups()
        other = name.split("/")[0]
        if kind == '"' and "/" not in name:
            yield Finding(path, number, "layers", f'"{name}" must be written from src/, as "folder/{name}"')
        elif kind == '"' and other not in allowed:
            yield Finding(path, number, "layers", f"src/{folder} may not include {name}")
        home = ENGINES.get(name)
        if home and not re.fullmatch(home, path):
            yield Finding(path, number, "engine", f"{name} belongs to {home} alone")


def check_banned(path, code):
    for names, reason in BANNED.items():
        yield from calls(path, code, names, reason)
    for names, (home, reason) in BANNED_BUT_IN.items():
        if path.startswith("src/") and not re.fullmatch(home, path):
            yield from calls(path, code, names, reason)


def check_sets(path, code):
    """strchr(set, 0) finds the terminator, so that U+0000 would be in every set of characters."""
    for match in re.finditer(r'\bstrchr\s*\(\s*"', code):
        yield Finding(path, code.count("\n", 0, match.start()) + 1, "banned",
                      'strchr("…", c) finds the terminator where c is U+0000: char_in(c, "…")')


def calls(path, code, names, reason):
    for match in re.finditer(rf"(?<![\w.>])({names})\s*\(", code):
        line_start = code.rfind("\n", 0, match.start()) + 1
        if not code[line_start:match.start()].lstrip().startswith("#"):
            yield Finding(path, code.count("\n", 0, match.start()) + 1, "banned", f"{match.group(1)}(): {reason}")


def check_globals(path, code):
    """Mutable file-scope variables; thread-local ones pass, and those of the files in MUTABLE."""
    if path in MUTABLE:
        return
    depth, start, code = 0, 0, blank_directives(code)
    for match in re.finditer(r"[{};]", code):
        if match.group(0) == "{":
            depth += 1
        elif match.group(0) == "}":
            depth -= 1
            head = code[start:match.start()].split("{")[0]
            if depth == 0 and head.rstrip().endswith(")") and "=" not in head:
                start = match.end()  # a function, which no semicolon ends
        elif depth == 0:
            statement = code[start:match.start()].strip()
            start = match.end()
            head = re.split(r"[={]", statement)[0]
            variable = re.match(r"static\b", head) or path.endswith(".c") and re.fullmatch(
                r"(?!typedef|extern|struct|enum|union|return)\w[\w\s*]*[\s*]\w+\s*(?:\[[^]]*\]\s*)*", head)
            if variable and not re.search(r"\bconst\b|\(|_Thread_local|\binline\b", head):
                yield Finding(path, code.count("\n", 0, match.start()) + 1, "global",
                              f"mutable variable: {' '.join(head.split())}")


def check_length(path, text):
    limit = HEADER_LINES if path.startswith("src/") and path.endswith(".h") else FILE_LINES
    count = len(text.splitlines())
    if count > limit:
        yield Finding(path, limit, "length", f"{count} lines (at most {limit})")


def check_text(path, text):
    """All findings of one file of C; `path` is from the root of the project, with slashes."""
    code = blank_comments(text)
    yield from check_length(path, text)
    if not text.startswith("/*"):
        yield Finding(path, 1, "opening", "a file begins with a comment that says what it is")
    yield from check_functions(path, code)
    yield from check_banned(path, code)
    yield from check_sets(path, code)
    if path.startswith("src/"):
        yield from check_includes(path, text)
        yield from check_globals(path, code)


def prose(text):
    """The text with the tables and code blocks of Markdown blanked, lines kept."""
    return re.sub(r"^```.*?^```|^(?:\||    )[^\n]*", lambda m: re.sub(r"[^\n]", "", m.group(0)), text,
                  flags=re.S | re.M)


def check_width(path, text):
    for number, line in enumerate((prose(text) if path.endswith(".md") else text).splitlines(), 1):
        if len(line) > WIDTH:
            yield Finding(path, number, "width", f"{len(line)} columns (at most {WIDTH})")


def check_build(meson, present):
    """meson.build must list exactly the sources there are."""
    listed = set(re.findall(r"'((?:src|tests/power)/[^']+\.c)'", meson))
    listed |= {f"tests/unit/{name}.c" for name in re.findall(r"(?<!\()'(test_\w+)'", meson)}
    listed |= {f"tests/fuzz/{name}.c" for name in re.findall(r"'(fuzz_\w+)'", meson)}
    for path in sorted(present - listed):
        yield Finding("meson.build", 1, "sources", f"{path} is not listed")
    for path in sorted(listed - present):
        yield Finding("meson.build", 1, "sources", f"{path} is listed, but is not there")


def call_graph(codes):
    """Which source file calls functions of which others: {path: {path}}, from {path: code without comments}.
    Calls by macros, and those through a pointer or a table, do not count."""
    functions = {path: find_functions(code) for path, code in codes.items()}
    homes = {f.name: path for path, found in functions.items() for f in found if not f.body.startswith("static")}
    graph = {}
    for path, found in functions.items():
        bodies = " ".join(f.body[f.body.index("{"):] for f in found)
        called = set(re.findall(r"(?<![\w.>])(\w+)\s*\(", bodies)) - {f.name for f in found}
        graph[path] = {homes[name] for name in called if name in homes}
    return graph


def find_circles(graph):
    """The files that reach each other, as sorted lists."""
    def reached_from(path):
        found, todo = set(), list(graph[path])
        while todo:
            here = todo.pop()
            if here not in found:
                found.add(here)
                todo += graph[here]
        return found
    reached = {path: reached_from(path) for path in graph}
    circles = {tuple(sorted(p for p in reached[path] if path in reached[p])) for path in graph}
    return sorted(circle for circle in circles if circle)


def check_circles(codes):
    """Source files form layers within their folders too: none calls another that, directly or not, calls it."""
    graph = call_graph(codes)
    for circle in find_circles(graph):
        edges = [f"{path} -> {', '.join(sorted(graph[path] & set(circle)))}" for path in circle]
        yield Finding(circle[0], 1, "circle", f"source files call each other in a circle: {'; '.join(edges)}")


def check_listed(codes):
    """Families, rules and services are in their tables: the compiler does not notice one that nothing refers to."""
    for path, code in codes.items():
        for files, (definition, table) in LISTED.items():
            for match in re.finditer(definition, code, re.M) if re.fullmatch(files, path) else ():
                if not re.search(rf"\b{match.group(1)}\b", codes.get(table, "")):
                    yield Finding(path, code.count("\n", 0, match.start()) + 1, "unlisted",
                                  f"{match.group(1)} is not in {table}")


def check_project(root):
    folders = ("src", "tests/unit", "tests/fuzz", "tests/power")
    paths = sorted(p for folder in folders for p in (root / folder).rglob("*.[ch]"))
    names = {p.relative_to(root).as_posix() for p in paths}
    for path, name in ((p, p.relative_to(root).as_posix()) for p in paths):
        yield from check_text(name, path.read_text())
    codes = {n: blank_comments((root / n).read_text()) for n in names if re.fullmatch(r"src/.*\.c", n)}
    yield from check_circles(codes)
    yield from check_listed(codes)
    wide = {p for glob in WIDTH_CHECKED for p in root.glob(glob)}
    for path, name in ((p, p.relative_to(root).as_posix()) for p in sorted(wide)):
        yield from check_width(name, path.read_text())
        if name.endswith(".py"):
            yield from check_length(name, path.read_text())
    sources = {n for n in names if re.match(r"(src/|tests/power/|tests/unit/test_|tests/fuzz/fuzz_).*\.c$", n)}
    yield from check_build((root / "meson.build").read_text(), sources)


def main():
    findings = list(check_project(ROOT))
    errors = [f for f in findings if not f.warning]
    for finding in findings if "-v" in sys.argv[1:] else errors:
        print(f"{finding} (warning)" if finding.warning else finding)
    print(f"lint.py: {len(errors)} errors, {len(findings) - len(errors)} functions over {FUNCTION_LINES_WARN} lines")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
