"""Runs both sides, and says in what they differ."""
import json
import re
import subprocess

# Where the reference accepts what it then can neither store nor write again (a 500), we refuse it at once.
OURS_ALONE = re.compile("finite_number|int_parsing_size|time_delta_parsing")
# The texts of pendulum's and datetime's own exceptions, in place of which we say that it cannot be parsed.
OTHER_TEXT = re.compile(r"Value error, (value is not a valid datetime it is a |(hour|minute|second|month) must be in |"
                        r"day is out of range)|value is not a valid datetime$")


def ask(command, cases):
    """The answers, as lines, of a program that reads cases as lines."""
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0 and "runtime error" not in done.stderr, done.stderr[-2000:]
    return done.stdout.split("\n")[:-1]  # not splitlines(), which knows more ends of lines


def read_ours(line):
    """Ours; UTC is written as pydantic 2 does."""
    return json.loads(re.sub(r'(\d)\+00:00"', r'\1Z"', line))


def value_at(body, loc):
    for key in loc:
        body = body[key]
    return body


def packed(case, line):
    """For the recording: an answer without what can be told from the case."""
    body, answer = json.loads(case["json"]), json.loads(line)
    if "value" in answer and json.dumps(answer["value"]) == json.dumps(body):
        return "same"
    for error in answer.get("errors", []):
        loc = error["loc"][:-1] if error["type"] == "missing" else error["loc"]
        assert json.dumps(error.pop("input")) == json.dumps(value_at(body, loc))
    return json.dumps(answer, separators=(",", ":"))


def unpacked(case, line):
    body = json.loads(case["json"])
    if line == "same":
        return {"v": body}
    answer = json.loads(line)
    if "value" in answer:
        return {"v": answer["value"]}
    for error in answer.get("errors", []):
        loc = error["loc"][:-1] if error["type"] == "missing" else error["loc"]
        context = {"ctx": error.pop("ctx")} if "ctx" in error else {}
        error |= {"input": value_at(body, loc)} | context  # in the order of the keys
    return answer


def place(error):
    return error["type"], error["loc"]


def without_ours_alone(ours, theirs):
    places = [place(error) for error in theirs]
    return [error for error in ours if place(error) in places or not OURS_ALONE.fullmatch(error["type"])]


def same_but_text(ours, theirs):
    """Whether two errors differ in msg alone, and ctx with it, in one of the known ways. Our texts end at U+0000."""
    if place(ours) != place(theirs) or ours["input"] != theirs["input"]:
        return False
    unparsed = OTHER_TEXT.match(theirs["msg"]) and ours["msg"].startswith("Value error, Unable to parse string [")
    return ours["type"] == "value_error" and unparsed or "\0" in ours["input"]


def difference(ours, theirs):
    """None: the same. "alone": we refuse what they could not keep. "text": a known difference of messages."""
    if json.dumps(ours) == json.dumps(theirs):
        return None
    if "raises" in theirs:
        return "alone" if "errors" in ours else "other"
    if "errors" not in ours:
        return "other"
    left, right = without_ours_alone(ours["errors"], theirs.get("errors", [])), theirs.get("errors", [])
    if len(left) != len(right):
        return "other"
    pairs = [pair for pair in zip(left, right) if json.dumps(pair[0]) != json.dumps(pair[1])]
    if not pairs:
        return "alone"
    return "text" if all(same_but_text(*pair) for pair in pairs) else "other"
