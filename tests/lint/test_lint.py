"""Bad samples that tools/lint.py must find, and good ones that it must leave alone."""
import importlib.util
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("lint", ROOT / "tools/lint.py")
lint = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lint)

OPENING = "/* a sample */\n"


def rules(path, text, opening=OPENING):
    return [f.rule for f in lint.check_text(path, opening + text) if not f.warning]


def function(lines):
    return "static int f(int a)\n{\n" + "    a++;\n" * lines + "    return a;\n}\n"


def nested(depth):
    return "static void f(int a)\n{\n" + "if (a) {\n" * depth + "a++;\n" + "}\n" * depth + "}\n"


class BadSamples(unittest.TestCase):
    def test_layers(self):
        for path, include in [("src/base/a.c", "db/db.h"), ("src/config/a.c", "db/db.h"),
                              ("src/db/a.c", "entity/codec.h"),
                              ("src/entity/a.c", "model/run.h"), ("src/model/a.c", "orchestration/orchestration.h"),
                              ("src/orchestration/a.c", "server/server.h"), ("src/http/a.c", "db/db.h"),
                              ("src/schedule/a.c", "model/run.h"), ("src/services/a.c", "http/http.h"),
                              ("src/model/a.c", "http/http.h"), ("src/notify/a.c", "config/settings.h"),
                              ("src/api/a.c", "cli/cli.h")]:
            with self.subTest(path=path, include=include):
                self.assertEqual(rules(path, f'#include "{include}"\n'), ["layers"])

    def test_include_without_folder(self):
        self.assertEqual(rules("src/base/a.c", '#include "buf.h"\n'), ["layers"])

    def test_unknown_layer(self):
        self.assertEqual(rules("src/misc/a.c", "int a(void);\n"), ["layers"])

    def test_engines(self):
        self.assertEqual(rules("src/model/a.c", "#include <sqlite3.h>\n"), ["engine"])
        self.assertEqual(rules("src/db/db.c", "#include <sqlite3.h>\n"), ["engine"])
        self.assertEqual(rules("src/db/sqlite.c", "#include <libpq-fe.h>\n"), ["engine"])

    def test_banned(self):
        for call in ["strcpy(a, b)", "sprintf (a, b)", "alloca(9)", "longjmp(a, 1)", "strtok(a, b)", "localtime(&a)",
                     "atoi(a)", "system(a)", "exit(1)", "malloc(3)", "strdup(a)", "clock_now()",
                     "pthread_create(&a, NULL, b, NULL)"]:
            with self.subTest(call=call):
                self.assertEqual(rules("src/api/a.c", f"static void f(void)\n{{\n    x = {call};\n}}\n"), ["banned"])

    def test_sets_of_characters(self):
        self.assertEqual(rules("src/api/a.c", "static void f(void)\n{\n    x = strchr(\"abc\", c);\n}\n"), ["banned"])
        self.assertEqual(rules("src/api/a.c", "static void f(void)\n{\n    x = strchr(path, '/');\n}\n"), [])

    def test_function_length(self):
        self.assertEqual(rules("src/base/a.c", function(lint.FUNCTION_LINES - 3)), ["length"])

    def test_function_length_warning(self):
        findings = list(lint.check_text("src/base/a.c", OPENING + function(60)))
        self.assertEqual([(f.rule, f.warning) for f in findings], [("length", True)])

    def test_file_length(self):
        self.assertEqual(rules("src/base/a.c", "int a(void);\n" * lint.FILE_LINES), ["length"])
        self.assertEqual(rules("src/base/a.h", "int a(void);\n" * lint.HEADER_LINES), ["length"])

    def test_nesting(self):
        self.assertEqual(rules("src/base/a.c", nested(lint.NESTING + 1)), ["nesting"])

    def test_complexity(self):
        body = "".join(f"    if (a == {i} && b) return;\n" for i in range(lint.COMPLEXITY // 2 + 1))
        self.assertEqual(rules("src/base/a.c", f"static void f(int a, int b)\n{{\n{body}}}\n"), ["complexity"])

    def test_opening(self):
        self.assertEqual(rules("src/base/a.c", "int a(void);\n", opening=""), ["opening"])

    def test_mutable_global(self):
        self.assertEqual(rules("src/base/a.c", "static int count;\n"), ["global"])
        self.assertEqual(rules("src/base/a.c", "static struct { int a; } all = { 1 };\n"), ["global"])
        self.assertEqual(rules("src/base/a.c", "int count;\nint *list[2] = { 0 };\n"), ["global", "global"])

    def test_mutable_global_behind_other_code(self):
        for before in ['#include "base/a.h"\n', "#define A(x) \\\n    x;\n", "struct A { int a; };\n",
                       "static int f(void)\n{\n    return 1;\n}\n", "static const int t[] = { 1 };\n", "enum { A };\n"]:
            with self.subTest(before=before):
                self.assertEqual(rules("src/base/a.c", before + "static int count;\n"), ["global"])

    def test_width(self):
        wide = "x" * (lint.WIDTH + 1) + "\n"
        for path in ["src/base/a.c", "tests/unit/test_a.c", "tools/a.py", "README.md"]:
            with self.subTest(path=path):
                self.assertEqual([f.line for f in lint.check_width(path, "short\n" + wide)], [2])
        behind = "| a table |\n\n```\ncode\n```\n\n    code\n\n- an item\n  " + wide
        self.assertEqual([f.line for f in lint.check_width("README.md", behind)], [10])

    def test_width_of_the_project(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "meson.build").touch()
            (root / "docs").mkdir()
            for path in ["README.md", "docs/a.md"]:
                (root / path).write_text("x" * (lint.WIDTH + 1))
            self.assertEqual([(f.path, f.rule) for f in lint.check_project(root)],
                             [("README.md", "width"), ("docs/a.md", "width")])

    def test_build_lists(self):
        findings = list(lint.check_build("files('src/a.c', 'src/b.c') ['test_x']",
                                         {"src/a.c", "src/c.c", "tests/unit/test_x.c"}))
        self.assertEqual([f.text for f in findings], ["src/c.c is not listed", "src/b.c is listed, but is not there"])


    def test_circles(self):
        two = {"src/base/a.c": "void a(void)\n{\n    b();\n}\n", "src/base/b.c": "int b(void)\n{\n    return a();\n}\n"}
        three = {"src/base/a.c": "void a(void)\n{\n    b(c);\n}\n", "src/base/b.c": "void b(int x)\n{\n    c(x);\n}\n",
                 "src/base/c.c": "static int d(void)\n{\n    return a() + 1;\n}\nvoid c(int x)\n{\n    d();\n}\n",
                 "src/base/e.c": "void e(void)\n{\n    a();\n}\n"}
        for codes, edges in [(two, ["a.c -> src/base/b.c", "b.c -> src/base/a.c"]),
                             (three, ["a.c -> src/base/b.c", "b.c -> src/base/c.c", "c.c -> src/base/a.c"])]:
            [finding] = lint.check_circles(codes)
            text = "; ".join(f"src/base/{edge}" for edge in edges)
            self.assertEqual((finding.path, finding.rule), ("src/base/a.c", "circle"))
            self.assertEqual(finding.text, f"source files call each other in a circle: {text}")

    def test_two_circles(self):
        codes = {f"src/base/{a}.c": f"void {a}(void)\n{{\n    {b}();\n}}\n" for a, b in ["ab", "ba", "cd", "dc"]}
        self.assertEqual([f.path for f in lint.check_circles(codes)], ["src/base/a.c", "src/base/c.c"])

    def test_unlisted(self):
        for path, definition, name, table in [
                ("src/api/routes/a.c", "const RouteFamily a_family = { 0 };\n", "a_family", "src/api/routes/routes.c"),
                ("src/orchestration/a.c", "const Rule keep_a = {\n};\n", "keep_a", "src/orchestration/policy.c"),
                ("src/services/a.c", "bool a_tick(Run *run)\n{\n}\n", "a_tick", "src/services/service.c")]:
            for rows in "", f"&{name}_too,\n":
                [finding] = lint.check_listed({path: f"\n{definition}", table: rows})
                self.assertEqual(finding, (path, 2, "unlisted", f"{name} is not in {table}", False))
            self.assertEqual(list(lint.check_listed({path: definition, table: f"&{name},\n"})), [])


class GoodSamples(unittest.TestCase):
    def test_width(self):
        wide, full = "x" * (lint.WIDTH + 1), "x" * lint.WIDTH + "\n"
        self.assertEqual(list(lint.check_width("src/base/a.c", full)), [])
        markdown = f"{full}\n| {wide} |\n\n    {wide}\n\n```\n{wide}\n```\n"
        self.assertEqual(list(lint.check_width("README.md", markdown)), [])

    def test_no_circles(self):
        """One way; another file's function of the same name; what is no call: a member, a table, a prototype."""
        codes = {"src/base/a.c": "void a(T *t)\n{\n    b(t);\n}\nvoid twice(void)\n{\n    twice();\n}\n",
                 "src/base/b.c": "void a(T *t);\nstatic Maker *const all[] = { a };\nstatic void helper(void)\n{\n}\n"
                                 "void b(T *t)\n{\n    t->a(t);\n    helper();\n    c();\n}\n",
                 "src/base/c.c": "void helper(void)\n{\n}\nstatic void b(void)\n{\n}\n"
                                 "void c(void)\n{\n    b();\n    helper();\n}\n"}
        self.assertEqual(list(lint.check_circles(codes)), [])

    def test_allowed(self):
        samples = {
            "src/api/a.c":
                '#include "base/buf.h"\n#include "http/http.h"\n#include "model/run.h"\n#include <string.h>\n',
            "src/main.c": '#include "cli/cli.h"\nint main(void)\n{\n    exit(1);\n}\n',
            "src/db/sqlite.c": "#include <sqlite3.h>\n",
            "src/base/text.c": '/* strcpy(a, b) in a comment */\nstatic const char *s = "strcpy(a, b)";\n',
            "src/base/member.c": "static void f(T *t)\n{\n    t->exit(1);\n    my_exit(2);\n}\n",
            "src/base/table.c": "static const int table[] = { 1, 2 };\nstatic int f(int a);\n"
                "static _Thread_local int mine;\nint g(int a);\n"
                "extern char **environ;\ntypedef int Number;\nstruct A;\nstatic int h(void)\n{\n"
                "    static const int a = 1;\n    return a;\n}\n",
            "src/base/log.c": "static int threshold;\n",
            "src/base/values.c": nested(lint.NESTING).replace("a++;", "g((T){ { { 1 } } });"),
            "src/base/long.c": function(lint.FUNCTION_LINES - 4),
        }
        for path, text in samples.items():
            with self.subTest(path=path):
                self.assertEqual(rules(path, text), [])


if __name__ == "__main__":
    unittest.main()
