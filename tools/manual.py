#!/usr/bin/env python3
"""tools/manual.py DESCRIPTION FOLDER: writes orion.1 and orion.toml.5 into the folder, in the mdoc language.
DESCRIPTION is what `orion --describe` printed."""
import json
import os
import sys
import textwrap
import time
from pathlib import Path

INTRODUCTION = """\
.Nm
serves the API and the dashboard of Prefect 2.7.12 to unmodified clients,
agents and workers, from an SQLite or PostgreSQL database.
.Nm
.Cm start
runs the server; the other commands look after its database, settings and keys."""

SERVICE = """\
Debian's package runs the server as the system user
.Em orion ,
with the settings in
.Pa /etc/orion/orion.toml
and the database in
.Pa /var/lib/orion .
Commands act on the service's database when they are given its settings:
.Pp
.Dl # orion --config /etc/orion/orion.toml database stats
.Dl # systemctl restart orion
.Pp
The service tells systemd when it is ready.
Its event loop gives a sign of life every 15 seconds; if none comes for 30 seconds,
systemd restarts the service."""

TOML_INTRODUCTION = """\
.Nm
holds the settings of
.Xr orion 1 .
It is read from the folder
.Ev PREFECT_HOME ,
or from where
.Fl -config
or
.Ev ORION_CONFIG
say.
The environment overrides it; it overrides the active profile and the defaults.
.Pp
Each line is a name and a TOML value: a string, a number,
.Li true
or
.Li false .
A
.Sq #
begins a comment.
Tables are not allowed.
Times are numbers with
.Li ms , s , m , h , d
or
.Li w ;
sizes are numbers with
.Li kB , MB
or
.Li GB ,
which are powers of 1000.
Without a unit they are in seconds and bytes."""

EXAMPLE = """\
PREFECT_ORION_API_PORT = 4200
PREFECT_ORION_DATABASE_CONNECTION_URL = "postgresql+asyncpg://orion:secret@db.example/orion"
ORION_ALLOWED_HOSTS = "prefect.example"
ORION_SERVER_HEAD_TIMEOUT = "10s\""""


def text(words):
    """Text that roff takes literally."""
    out = words.replace("\\", "\\e").replace("…", "...").replace("--", "\\-\\-").replace("~", "\\(ti")
    return "\\&" + out if out[:1] in (".", "'") else out


def sentences(words):
    """Each begins a line, as roff wants it."""
    return "\n".join(text(line) for one in words.replace(". ", ".\n").split("\n") for line in textwrap.wrap(one, 78))


def argument(words):
    """An argument of a macro: quoted, so that it is no macro itself."""
    return '"' + text(words).replace('"', '\\(dq') + '"'


def option_names(option):
    value = f" Ar {argument(option['value'])}" if option["value"] else ""
    names = [f"Fl {option['letter']}{value}"] if option["letter"] else []
    names += [f"Fl {argument('-' + option[key])}{value}" for key in ("name", "negative") if option[key]]
    return " , ".join(names)


def option_items(options):
    """As a list; nothing if there are none."""
    if not options:
        return []
    lines = [".Bl -tag -width Ds"]
    for option in options:
        lines += [f".It {option_names(option)}", sentences(option["help"])]
        if option["setting"]:
            lines += ["Overrides", f".Ev {option['setting']} .", *default_line(option)]
    return lines + [".El"]


def default_line(row):
    """Of an option or a setting."""
    if row["default"] in (None, ""):
        return []
    return ["Default:", f".Li {argument(row['default'])} ."]


def command_lines(command):
    usage = f".D1 Nm orion Cm {command['path']}"
    usage += " Op Ar options" if command["options"] else ""
    for word in (command["arguments"] or "").split():
        plain = word.strip("[]")
        usage += f" Op Ar {argument(plain)}" if word.startswith("[") else f" Ar {argument(plain)}"
    title = f".Ss {command['path']}"
    return [title, usage, ".Pp", sentences(command["help"]), *option_items(command["options"])]


def orion_page(described, date):
    settings = {setting["name"]: setting for setting in described["settings"]}
    own = [command for command in described["commands"] if command["kind"] == "own"]
    foreign = [command["path"] for command in described["commands"]
               if command["kind"] == "foreign" and " " not in command["path"]]
    lines = [f".Dd {date}", ".Dt ORION 1", f".Os Orion {described['version']}", ".Sh NAME", ".Nm orion",
             ".Nd API server of Prefect 2.7", ".Sh SYNOPSIS", ".Nm", ".Op Fl p Ar NAME", '.Op Fl -config Ar FILE',
             ".Ar command", ".Op Ar options", ".Op Ar arguments", ".Sh DESCRIPTION", INTRODUCTION, ".Pp",
             "Options before the command:", *option_items(described["options"]), ".Pp",
             "Every command also takes", ".Fl -config Ar FILE", "and", ".Fl -help .", ".Sh COMMANDS"]
    for command in own:
        lines += command_lines(command)
    lines += [".Ss Commands of the Python client",
              "These belong to Prefect's own program, and are refused with status 2:",
              sentences(", ".join(foreign) + "."), ".Sh SERVICE", SERVICE, ".Sh ENVIRONMENT",
              "Every setting of", ".Xr orion.toml 5", "may be set as a variable, among them:",
              ".Bl -tag -width Ds"]
    for name in ("PREFECT_HOME", "ORION_CONFIG"):
        lines += [f".It Ev {name}", sentences(settings[name]["help"]), *default_line(settings[name])]
    lines += [".El", ".Sh EXIT STATUS",
              ".Ex -std", "The status is 2 if the program was called the wrong way, else 1.",
              ".Sh SEE ALSO", ".Xr journalctl 1 ,", ".Xr systemctl 1 ,", ".Xr orion.toml 5 ,",
              ".Pa /usr/share/doc/orion"]
    return lines


def setting_items(settings):
    lines = [".Bl -tag -width Ds"]
    for setting in settings:
        lines += [f".It Ic {setting['name']} Pq {setting['kind']}", sentences(setting["help"])]
        if setting["choices"]:
            lines += ["One of", f".Li {setting['choices'].replace(' ', ' , ')} ."]
        lines += default_line(setting)
        if setting["aliases"]:
            lines += ["Also:", *(f".Ic {name} ," for name in setting["aliases"][:-1]),
                      f".Ic {setting['aliases'][-1]} ."]
    return lines + [".El"]


def toml_page(described, date):
    settings = [setting for setting in described["settings"] if setting["name"] != "ORION_CONFIG"]
    return [f".Dd {date}", ".Dt ORION.TOML 5", f".Os Orion {described['version']}", ".Sh NAME", ".Nm orion.toml",
            ".Nd settings of the API server Orion", ".Sh DESCRIPTION", TOML_INTRODUCTION, ".Ss Settings of Orion",
            *setting_items([one for one in settings if one["of"] == "orion"]),
            ".Ss Settings of Prefect's server", "They mean what they mean to Prefect 2.7.12.",
            *setting_items([one for one in settings if one["of"] == "prefect"]),
            ".Sh FILES", ".Bl -tag -width Ds", ".It Pa /etc/orion/orion.toml", "that of the system service", ".El",
            ".Sh EXAMPLES", ".Bd -literal", text(EXAMPLE), ".Ed", ".Pp", "To find mistakes in it:", ".Pp",
            ".Dl orion --config /etc/orion/orion.toml config check", ".Sh SEE ALSO", ".Xr orion 1"]


def main(arguments):
    if len(arguments) != 2:
        sys.exit(__doc__)
    described, folder = json.loads(Path(arguments[0]).read_text(encoding="utf-8")), Path(arguments[1])
    date = time.strftime("%B %-d, %Y", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))))
    for name, page in ("orion.1", orion_page), ("orion.toml.5", toml_page):
        (folder / name).write_text("\n".join(page(described, date)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
