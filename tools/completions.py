#!/usr/bin/env python3
"""tools/completions.py DESCRIPTION FOLDER: writes the completions of the command line for bash (orion.bash), zsh
(_orion) and fish (orion.fish) into the folder. DESCRIPTION is what `orion --describe` printed.

All three find the command by the longest path of words that the table knows; what else there is between them are
options and their values. "orion" and "server" may come before a command, as in Prefect's guides."""
import json
import re
import sys
from pathlib import Path

LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
NOTICE = "Made from the program's table of commands by tools/completions.py."
BEFORE = ("orion", "server")  # words that may come before a command


class Table:
    """The commands that this program has: `own`, by path, with the groups; "" is the program itself."""

    def __init__(self, described):
        self.settings = {setting["name"]: setting for setting in described["settings"]}
        self.common = described["options"]
        self.own = {"": {"help": described["purpose"], "options": self.common, "arguments": None, "alias": None}}
        self.own |= {command["path"]: command for command in described["commands"]
                     if command["kind"] in ("own", "group")}
        self.paths = [path for path in self.own if path]
        self.aliases = {command["alias"]: path for path, command in self.own.items() if command["alias"]}

    def words(self, path):
        """What may follow the path: (word, help)."""
        return [(other.rpartition(" ")[2], command["help"]) for other, command in self.own.items()
                if other and other.rpartition(" ")[0] == path]

    def options(self, path):
        """Those of the command, and those that every command takes."""
        everywhere = [option for option in self.common if option["name"] in ("config", "help")]
        return self.own[path]["options"] + (everywhere if path else [])

    def choices(self, option):
        """What the option's value may be, as far as that can be listed."""
        setting = self.settings.get(option["setting"])
        if setting and setting["kind"] == "level":
            return LEVELS
        return setting["choices"].split() if setting and setting["choices"] else []

    def server_settings(self):
        return [setting for setting in self.settings.values()
                if setting["of"] != "client" and setting["name"] != "ORION_CONFIG"]

    def argument(self, path):
        """What kind of argument the command takes: file, setting, assignment, or something that cannot be listed."""
        return {"FILE": "file", "SETTING...": "setting", "SETTING=VALUE...": "assignment"}.get(
            self.own[path]["arguments"] or "", "")


def flags(option):
    """As they are typed: --name, --negative, -l."""
    names = [f"--{option[key]}" for key in ("name", "negative") if option[key]]
    return names + ([f"-{option['letter']}"] if option["letter"] else [])


def quoted(words):
    """One word of a shell's script."""
    return "'" + words.replace("'", "'\\''") + "'"


# ---- bash ----

BASH = """\
# orion's completion for bash. {notice}
_orion() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} path= next= i
    if [[ $previous == = ]]; then previous=${{COMP_WORDS[COMP_CWORD-2]}}; fi
    if [[ $current == = ]]; then current=; fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        next=${{path:+$path }}${{COMP_WORDS[i]}}
        case $next in
            -p | --profile | --config) ((i++)) ;;
            {paths}) path=$next ;;
{aliases}
        esac
    done
    COMPREPLY=()
    case $path:$previous in
{values}
    esac
    local words= options= argument=
    case $path in
{commands}
    esac
    if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$current"))
    elif [[ $argument == file ]]; then
        compopt -o filenames 2>/dev/null
        COMPREPLY=($(compgen -f -- "$current"))
    elif [[ $argument == assignment && ${{COMP_WORDS[COMP_CWORD-1]}} != = && ${{COMP_WORDS[COMP_CWORD]}} != = ]]; then
        compopt -o nospace 2>/dev/null
        COMPREPLY=($(compgen -S = -W "$_orion_settings" -- "$current"))
    elif [[ $argument == setting ]]; then
        COMPREPLY=($(compgen -W "$_orion_settings" -- "$current"))
    elif [[ -n $words ]]; then
        COMPREPLY=($(compgen -W "$words" -- "$current"))
    fi
}}
_orion_settings='{settings}'
complete -F _orion orion
"""


def bash_value(table, path, option):
    """The branch for an option's value."""
    if option["value"] in ("FILE", "DIR"):
        kind = "-d" if option["value"] == "DIR" else "-f"
        action = f'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen {kind} -- "$current"))'
    elif choices := table.choices(option):
        action = f'COMPREPLY=($(compgen -W {quoted(" ".join(choices))} -- "$current"))'
    else:
        action = ""
    pattern = " | ".join(f"'{path}:{flag}'" for flag in flags(option))
    return f"        {pattern}) {action + '; ' if action else ''}return ;;"


def bash(table):
    values, commands = [], []
    for path, command in table.own.items():
        values += [bash_value(table, path, option) for option in table.options(path) if option["value"]]
        fields = [("words", [word for word, _ in table.words(path)]), ("argument", [table.argument(path)]),
                  ("options", [flag for option in table.options(path) for flag in flags(option)])]
        sets = " ".join(f"{name}={quoted(' '.join(words))}" for name, words in fields if any(words))
        commands.append(f"        {quoted(path)}) {sets} ;;")
    aliases = "\n".join(f"            {alias}) path={path} ;;" for alias, path in table.aliases.items())
    return BASH.format(notice=NOTICE, paths=" | ".join(map(quoted, table.paths)), values="\n".join(values),
                       commands="\n".join(commands), aliases=aliases,
                       settings=" ".join(setting["name"] for setting in table.server_settings()))


# ---- zsh ----

ZSH = """\
#compdef orion
# orion's completion for zsh. {notice}
_orion() {{
    local at= next=
    integer i last=1
    for ((i = 2; i < CURRENT; i++)); do
        next=${{at:+$at }}$words[i]
        case $next in
            -p|--profile|--config) ((i++)) ;;
            {before}) last=i ;;
            {paths}) at=$next last=i ;;
{aliases}
        esac
    done
    words=(orion "${{(@)words[last+1,-1]}}")
    ((CURRENT -= last - 1))
    case $at in
{commands}
    esac
}}
_orion_settings() {{
    local -a settings=({settings})
    _values "$@" 'setting' $settings
}}
_orion "$@"
"""


def zsh_text(words):
    return re.sub(r"([\[\]:\\])", r"\\\1", words)


def zsh_action(table, option):
    if option["value"] in ("FILE", "DIR"):
        return "_files" + (" -/" if option["value"] == "DIR" else "")
    choices = table.choices(option)
    return f"({' '.join(choices)})" if choices else ""


def zsh_options(table, path):
    for option in table.options(path):
        value = f":{option['value'].lower()}:{zsh_action(table, option)}" if option["value"] else ""
        for flag in flags(option):
            equals = "=" if value and flag.startswith("--") else ""
            others = f"({' '.join(flags(option))})" if len(flags(option)) > 1 else ""
            yield quoted(f"{others}{flag}{equals}[{zsh_text(option['help'])}]{value}")


def zsh_rest(table, path):
    """What follows the options."""
    if words := table.words(path):
        listed = " ".join(f"{word}\\:{quoted(zsh_text(text))}" for word, text in words)
        return [quoted(f"1:command:(({listed}))")]
    arguments = {"file": ["1:file:_files"], "setting": ["*:setting:_orion_settings"],
                 "assignment": ["*:setting:_orion_settings -S ="]}
    return [quoted(one) for one in arguments.get(table.argument(path), [])]


def zsh(table):
    commands = [" \\\n            ".join([f"        {quoted(path)}) _arguments", *zsh_options(table, path),
                                          *zsh_rest(table, path)]) + " ;;" for path in table.own]
    settings = " ".join(quoted(f"{setting['name']}[{zsh_text(setting['help'])}]")
                        for setting in table.server_settings())
    aliases = "\n".join(f"            {alias}) at={path} last=i ;;" for alias, path in table.aliases.items())
    return ZSH.format(notice=NOTICE, before="|".join(BEFORE), paths="|".join(map(quoted, table.paths)), aliases=aliases,
                      commands="\n".join(commands), settings=settings)


# ---- fish ----

FISH = """\
# orion's completion for fish. {notice}
function __orion_path
    set -l path
    for word in (commandline -opc)[2..]
        set -l next (string trim -- "$path $word")
        contains -- $next {paths}; and set path $next
        switch $next
{aliases}
        end
    end
    echo $path
end
function __orion_at
    test (__orion_path) = "$argv"
end
complete -c orion -f
"""


def fish_option(table, path, option):
    condition = quoted(f"__orion_at {path}".strip())
    base = f"complete -c orion -n {condition} -d {quoted(option['help'])}"
    value = " -x" if option["value"] else ""
    if option["value"] in ("FILE", "DIR"):
        value = " -rF"
    elif choices := table.choices(option):
        value = f" -xa {quoted(' '.join(choices))}"
    if option["name"]:
        yield f"{base} -l {option['name']}{value}" + (f" -s {option['letter']}" if option["letter"] else "")
    elif option["letter"]:
        yield f"{base} -s {option['letter']}{value}"
    if option["negative"]:
        yield f"{base} -l {option['negative']}"


def fish(table):
    aliases = "\n".join(f"            case {alias}\n                set path {path}"
                        for alias, path in table.aliases.items())
    lines = [FISH.format(notice=NOTICE, paths=" ".join(map(quoted, table.paths)), aliases=aliases)]
    for path in table.own:
        condition = quoted(f"__orion_at {path}".strip())
        lines += [f"complete -c orion -n {condition} -a {quoted(word)} -d {quoted(text)}"
                  for word, text in table.words(path)]
        for option in table.options(path):
            lines += fish_option(table, path, option)
        if table.argument(path) == "file":
            lines.append(f"complete -c orion -n {condition} -F")
        elif table.argument(path):
            end = "=" if table.argument(path) == "assignment" else ""
            lines += [f"complete -c orion -n {condition} -a {quoted(one['name'] + end)} -d {quoted(one['help'])}"
                      for one in table.server_settings()]
    return "\n".join(lines) + "\n"


def main(arguments):
    if len(arguments) != 2:
        sys.exit(__doc__)
    table, folder = Table(json.loads(Path(arguments[0]).read_text(encoding="utf-8"))), Path(arguments[1])
    for name, script in ("orion.bash", bash), ("_orion", zsh), ("orion.fish", fish):
        (folder / name).write_text(script(table), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
