"""Texts that do harm where a text is taken for something else: SQL, a pattern, a placeholder, the end of a string, of a
line or of a header, a path, a template, a format, markup, a command."""
PRODUCT = "9801547"  # of 1337 and 7331, which only something that computes can know
LOGGER = "orion.forged"

PAYLOADS = {
    # SQL
    "quote": "'",
    "quotes": "''\"\"``",
    "comment": "x'--",
    "comment within": "/*'*/",
    "or": "' OR '1'='1",
    "or, with a comment": "x' OR 1=1 -- ",
    "or, in double quotes": "\" OR \"\"=\"",
    "or, in parentheses": "')) OR (('1'='1",
    "or, of numbers": "0 OR 1=1",
    "union": "' UNION SELECT value FROM configuration -- ",
    "union of columns": "x') UNION ALL SELECT id, NULL, NULL, name, data FROM block_document --",
    "concatenation": "'||(SELECT 1337*7331)||'",
    "drop": "'; DROP TABLE saved_search; --",
    "drop, after a parenthesis": "x'); DROP TABLE log CASCADE; --",
    "drop, after a backslash": "\\'; DROP TABLE log; --",
    "drop, in dollars": "$$; DROP TABLE log; $$",
    "delete": "'; DELETE FROM log; COMMIT; --",
    "update": "'; UPDATE flow SET name = 'taken'; --",
    "create": "'; CREATE TABLE taken (x int); --",
    "attach": "'; ATTACH DATABASE 'taken.db' AS taken; --",
    "copy": "'; COPY flow TO PROGRAM 'touch taken'; --",
    "array": "{a,b}",
    "array literal": "{\"x\",NULL}",
    # patterns
    "percent": "%",
    "underscore": "_",
    "pattern": "%_%",
    "escaped pattern": "\\%",
    "backslash": "\\",
    "glob": "*[a-z]?",
    "regular expression": "(a+)+$|.*",
    # placeholders
    "$1": "$1",
    "placeholders": "$1 $2 $99 ?1 :name @name %(name)s",
    "?": "?",
    # characters
    "NUL": "a\0b",
    "NUL and SQL": "\0' OR 1=1 --",
    "high surrogate": "a\ud800b",
    "low surrogate": "\udfff",
    "right to left": "\u202egnp.exe\u2066",
    "zero width": "a\u200bb\u200d\ufeff",
    "no character": "\uffff\ufdd0\U0010ffff",
    "other quotes": "\u2019 OR \uff07\uff07=\u02bc",
    "letters of other cases": "\u0130\u0131\u017f\u212a\u00df",
    "combined": "e\u0301\u0334\u0335" * 20,
    # lines, headers, terminals
    "header": "a\r\nX-Taken: 1",
    "answer": "a\r\n\r\nHTTP/1.1 200 OK\r\nX-Taken: 1\r\n\r\n",
    "log line": f"x\n12:00:00.000 | ERROR   | {LOGGER} - taken",
    "other lines": f"x\u008512:00 | {LOGGER}\u2028y\u2029z\u000by\u000cz",
    "terminal": "\x1b[2J\x1b]0;taken\x07\x1b[31m\x08\x7f",
    "terminal, in one character": "\u009b2J\u009d0;taken\u009c",
    # paths
    "path": "../../../../../../../../etc/passwd",
    "path, encoded": "..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
    "path, encoded twice": "%252e%252e%252f%252e%252e%252fetc%252fpasswd",
    "path of Windows": "..\\..\\..\\windows\\win.ini",
    "file": "file:///etc/passwd",
    # templates, formats, commands
    "braces": "{{ 1337 * 7331 }}",
    "dollar": "${1337*7331} #{1337*7331}",
    "percent braces": "<%= 1337*7331 %>{% print(1337*7331) %}",
    "Python's format": "{0.__class__.__mro__[1].__subclasses__}",
    "Python's format of a name": "{flow_run_name.__class__.__init__.__globals__}",
    "C's format": "%s%s%s%n%n%p %1000000$s %*.*f",
    "lookup": "${jndi:ldap://127.0.0.1:1/x}",
    "command": "$(expr 1337 \\* 7331); `expr 1337 \\* 7331` | id",
    # other languages
    "JSON": '","taken":"1',
    "JSON object": '{"$ne": null}',
    "JSON escape": "\\u0027 OR 1=1 \\\" \\",
    "HTML": "<script>alert(1)</script>",
    "attribute": "\"><img src=x onerror=alert(1)>",
    "XML": "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>",
    "address": "javascript:alert(1)",
    # size
    "long": "'%_\\" * 4000,
    "longer": "A" * 70000,
}
# What waits where it is run (pg_sleep for 4 s, SQLite as long as it takes to count), and beside it what would not wait
# anywhere.
COUNT = "(WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT {}) SELECT max(x) FROM n)"
SLOW = [(sql.replace("WAIT", "pg_sleep(4)").replace("COUNT", COUNT.format(10**8)),
         sql.replace("WAIT", "pg_slaap(4)").replace("COUNT", COUNT.format(1)))
        for sql in ("'; SELECT WAIT; --", "'||(SELECT 'x' FROM WAIT)||'", "x') OR (SELECT WAIT) IS NULL --",
                    "'||COUNT||'", "' OR COUNT > 0 --", "0 OR COUNT > 0")]
