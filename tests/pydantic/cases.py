"""Generated JSON values and bodies: the same list for the same seed and count, in any Python from 3.11 on."""
import json
import random

SEED = 20260813
ID = "12345678-1234-5678-1234-567812345678"
NUMBERS = ["0", "1", "-0", "-1", "1.0", "1.5", "-0.0", "-0.5", "2", "100", "1e2", "1e18", "1e19", "1e300", "-1e300",
           "0.1", "9223372036854775807", "-9223372036854775808", "20000000000", "20000000001", "-20000000001",
           "1577836800", "1577836800.5", "1577836800000", "1577836800000.25", "-1.25", "0.1234565", "1.9999999999",
           "2.5e-6", "-1.5e-6", "253402300799000", "253402300800000", "-62135596800000", "-62135596800001",
           "86399999999999", "86400000000000", "-86399999913600", "100000000000000", "1e14", "3.5e-6",
           "20000000000.5", "1e-7"]
TEXTS = {
    "str": ["", "a", "é", "a b", "RED", "null", "\x01", "😀", "a/b", "x" * 40],
    "uuid": [ID, ID.replace("-", ""), "{" + ID + "}", "urn:uuid:" + ID, ID.upper(), ID[:-1], ID + "0",
             "URN:UUID:" + ID, "{" + ID.replace("-", "") + "}", "urn:uuid:" + ID.replace("-", ""),
             ID.replace("1", "g"), "é" + ID[1:], "a-b-c-d-e", "----", "-----", "", "xyz", "1" * 36, "{}", "urn:uuid:",
             "00000000-0000-0000-0000-000000000000"],
    "int": ["1", "1\0", "1\x002", "+1", "-1", " 1 ", "0", "-0", "+0", "1_000", "1__0", "_1", "1_", "1.0", "1.00",
            "1.5", "1.", ".0",
            "0_1", "0__1", "00_0", "0_", "-_1", "-0_1", "-01", "1_0.0", "1.0_0", "12_.0", "1e3", "0x1", "٣", "- 5",
            "+-1", "--1", "0.0", "00.0", "-0.0", "-1.0", "0_0.0", "9223372036854775807", "-9223372036854775808",
            "\xa01", "1\u2003", "\x1c1", "1\n", "\x851", ""],
    "float": ["1", "1\x005", "1.5", " 1.5 ", "nan", "inf", "-inf", "Infinity", "NaN", "1e400", "1_0.5", "1__0", "_1",
              "1_",
              ".5", "5.", ".", "1e5", "1E+5", "1e", "1e-5", "0x1p3", "+1.5", "-.5", "１", "1_e5", "1._5", "1.5e1_0",
              "\xa01", "\x1c1", "1 5", "--1", "1e5.0", "", "e5", "+", "-infinity", "infinit", "-0"],
    "bool": ["0", "off", "f", "false", "n", "no", "1", "on", "t", "true", "y", "yes", "ON", "True", "yEs", " true",
             "2", "", "1.0", "of", "tru", "oui", "FALSE", "0.0"],
    "moment": ["2020-01-01", "2020-01-01\0", "2020-01-01T10:00", "2020-01-01T10:00:00", "2020-01-01 10:00:00.5",
               "2020-01-01t10:00:00z", "2020-01-01_10:00:00Z", "2020-01-01T10:00:00.123456789",
               "2020-01-01T10:00:00,123", "2020-01-01T10:00:00+02:00", "2020-01-01T10:00:00-0230",
               "2020-01-01T10:00:00+02", "2020-02-29T00:00:00Z", "2021-02-29T00:00:00Z", "2020-01-01T24:00:00",
               "2020-01-01T10:60:00", "2020-01-01T10:00:60Z", "2020-13-01", "0000-01-01",
               "9999-12-31T23:59:59.999999Z", "1577836800", "1577836800.5", "1577836800000", "-1", "-1.25", "1e9",
               "20000000000", "20000000001", ".5", "5.", "+1", "20200101", "20200101T101010", "2020-W01-1",
               "2020-001", "2020-01", "2020/01/01", "2020-1-1", "2020-01-01T1:00", "2020-01-01T10", "2020-01-01T10Z",
               " 2020-01-01", "2020-01-01 ", "abc", "", "2020-01-01T10:00:00+", "2020-01-01T10:00:00−02:00",
               "12/31/2020", "2020-01-01T", "2020-01-01T10:00:00 UTC", "2024-03-10T02:30:00-05:00",
               "1970-01-01T00:00:00.000001Z", "2020-01-01T10:00:00.Z", "2020-01-01T10:00:00+23:59"],
    "duration": ["1", "P1D\0", "1.5", "-1", "P1D", "P1DT1H", "PT1.5S", "PT1,5S", "-P1D", "+P1D", "P1W", "P1M", "P1Y",
                 "P1.5D",
                 "PT", "P", "P1", "p1d", "PT1H30M", "P1DT", "P1D1H", "1 day", "2 days", "1 d", "2d", "1 day 10:00",
                 "1 days, 10:00:00", "10:00", "10:00:00", "10:00:00.5", "1:00", "1:00:00", "25:00:00", "-10:00",
                 "10:60", "10:00:60", "00:00:00.1234567", "1 day, 1:00", "5 10:00:00", "-1 day +10:00",
                 "-1 day 10:00", "PT-1S", "P999999999D", "P1000000000D", "-P999999999D", "P999999999DT24H",
                 "PT0.0000005S", "PT1.9999999S", "P1Y1D", "1_000", "", "PT1D", "PT10", "1:2:3", "01:02", "P1D ",
                 "PT1.5M", "PT1.5H1M", "P01D", "1d,10:00", "1dayz", "1DAY", "nan", "P4294967295D", "P4294967296D",
                 "P9999999999D", "-PT", "PTT1S", "T1S", "PT1H2H", "10:00:00,25", "10:00:00.", "10:00:0", "100:00:00"],
    "enum": ["RED", "GREEN", "BLUE", "red", "Colour.RED", "RED ", "", "REDGREEN"],
}
TEXTS["name"] = ["a", "a/b", "a%", "ok", "é&", "", "x<", "x>", "a b", "a\nb", "a\n"]
TEXTS["int_ge_0"] = TEXTS["int_ge_1"] = TEXTS["int"]
TEXTS["float_ge_0"] = TEXTS["float"]
ALPHABET = "0123456789+-:._ ,TPDHMSZdayse"
LISTS = {"strs": "str", "uuids": "uuid"}
SINGLE = ["str", "uuid", "int", "float", "bool", "moment", "duration", "enum", "name", "int_ge_0", "int_ge_1",
          "float_ge_0"]
MODELS = {
    "inner": {"name": "str", "count": "int", "when": "moment", "tags": "strs"},
    "strict": {"id": "uuid", "colour": "enum", "inner": "inner"},
    "outer": {"s": "name", "u": "uuid", "i": "int_ge_0", "f": "float", "b": "bool", "t": "moment", "d": "duration",
              "e": "enum", "dd": "dict", "a": "any", "ss": "strs", "us": "uuids", "inner": "inner", "strict": "strict"},
}


def text(rng, kind):
    """A text for a kind; sometimes with a character more, less or another."""
    texts = TEXTS.get(kind) or TEXTS["str"]
    chosen = texts[rng.randrange(len(texts))]
    if rng.random() < 0.3 and chosen:
        at = rng.randrange(len(chosen))
        what = rng.randrange(3)
        new = ALPHABET[rng.randrange(len(ALPHABET))] if what else ""
        chosen = chosen[:at] + new + chosen[at + (what < 2):]
    return json.dumps(chosen, ensure_ascii=rng.random() < 0.5)


def anything(rng, depth=0):
    what = rng.randrange(9 if depth < 2 else 6)
    if what == 0:
        return ("null", "true", "false")[rng.randrange(3)]
    if what < 3:
        return NUMBERS[rng.randrange(len(NUMBERS))]
    if what < 6:
        return text(rng, sorted(TEXTS)[rng.randrange(len(TEXTS))])
    if what == 6:
        return "[" + ",".join(anything(rng, depth + 1) for _ in range(rng.randrange(3))) + "]"
    return "{" + ",".join(f'"k{i}":{anything(rng, depth + 1)}' for i in range(rng.randrange(3))) + "}"


def value(rng, kind, depth=0):
    """JSON text for a kind: mostly of its type, else anything."""
    if rng.random() < (0.25 if depth == 0 else 0.08):
        return anything(rng)
    if kind in LISTS:
        return "[" + ",".join(value(rng, LISTS[kind], depth + 1) for _ in range(rng.randrange(4))) + "]"
    if kind in MODELS:
        return body(rng, kind, depth)
    if kind == "dict":
        return "{" + ",".join(f'"k{i}":{anything(rng, 1)}' for i in range(rng.randrange(3))) + "}"
    if kind == "any":
        return anything(rng)
    if kind not in ("str", "uuid", "enum", "name") and rng.random() < 0.35:
        return NUMBERS[rng.randrange(len(NUMBERS))]
    return text(rng, kind) if depth == 0 or rng.random() < 0.3 else json.dumps(TEXTS[kind][0])


def body(rng, model, depth):
    members = []
    for name, kind in MODELS[model].items():
        if rng.random() < 0.6:
            members.append((name, "null" if rng.random() < 0.08 else value(rng, kind, depth + 1)))
    for extra in ("zz", "aa", "b"):
        if rng.random() < 0.06:
            members.append((extra, anything(rng, 1)))
    rng.shuffle(members)
    return "{" + ",".join(f"{json.dumps(name)}:{one}" for name, one in members) + "}"


def cases(count=24000, seed=SEED):
    rng = random.Random(seed)
    kinds = SINGLE * 2 + ["dict", "any", "strs", "uuids"] + list(MODELS) * 6
    for _ in range(count):
        kind = kinds[rng.randrange(len(kinds))]
        optional = kind != "duration" and rng.random() < 0.2  # there is no optional duration
        yield {"kind": ("opt_" if optional else "") + kind, "json": value(rng, kind)}
