/* cli/describe.c -- `orion --describe`: the tables of commands and settings as JSON. The manual pages, the
 * shells' completions and pages of docs/ are made from it (tools/manual.py, completions.py, pages.py), so that they say
 * what the program does. */
#include "base/json.h"
#include "cli/cli.h"

static const char *const kind_names[] = {
    [SETTING_TEXT] = "text", [SETTING_BOOL] = "boolean", [SETTING_INT] = "integer", [SETTING_FLOAT] = "number",
    [SETTING_SECONDS] = "seconds", [SETTING_PATH] = "path", [SETTING_URL] = "url", [SETTING_LEVEL] = "level",
    [SETTING_CHOICE] = "choice", [SETTING_TIME] = "time", [SETTING_SIZE] = "size",
};

static void member(JsonWriter *w, const char *key, const char *text)
{
    json_key(w, key);
    json_text(w, text);
}

static void write_options(JsonWriter *w, const CliOption *option)
{
    json_key(w, "options");
    json_array(w);
    for (; option && (option->name || option->letter); option++) {
        json_object(w);
        member(w, "name", option->name);
        member(w, "negative", option->negative);
        member(w, "letter", option->letter ? (char[]){ option->letter, '\0' } : NULL);
        member(w, "value", option->value);
        member(w, "setting", option->setting);
        member(w, "default", option->setting ? cli_option_default(option) : NULL);
        member(w, "help", option->help);
        json_object_end(w);
    }
    json_array_end(w);
}

static void write_command(JsonWriter *w, const Command *command)
{
    json_object(w);
    member(w, "path", command->path);
    member(w, "alias", command->alias);
    member(w, "kind", command->in == GEN_3 ? "prefect 3" : command->flags & COMMAND_GROUP ? "group"
           : command->flags & COMMAND_FOREIGN ? "foreign" : "own");
    member(w, "help", command->help);
    member(w, "arguments", command->arguments);
    write_options(w, command->options);
    json_object_end(w);
}

static void write_setting(JsonWriter *w, const Setting *setting)
{
    const char *alias;
    json_object(w);
    member(w, "name", setting->name);
    json_key(w, "aliases");
    json_array(w);
    for (size_t i = 0; (alias = setting_alias(setting->name, i)); i++)
        json_text(w, alias);
    json_array_end(w);
    member(w, "kind", kind_names[setting->kind]);
    member(w, "choices", setting->choices);
    member(w, "default", setting->fallback);
    member(w, "of", setting->flags & SETTING_OWN ? "orion" : setting->flags & SETTING_CLIENT ? "client" : "prefect");
    member(w, "help", setting->help);
    json_object_end(w);
}

void cli_describe(const Cli *cli)
{
    Buf out;
    JsonWriter w;
    buf_init(&out, cli->arena, 64 << 10);
    json_writer_init(&w, &out, JSON_WIRE);
    json_object(&w);
    member(&w, "version", ORION_VERSION);
    member(&w, "purpose", CLI_PURPOSE);
    write_options(&w, cli_common_options);
    json_key(&w, "commands");
    json_array(&w);
    for (size_t i = 0; i < cli_command_count; i++)
        write_command(&w, &cli_commands[i]);
    json_array_end(&w);
    json_key(&w, "settings");
    json_array(&w);
    for (size_t i = 0; i < setting_count; i++)
        write_setting(&w, &setting_table[i]);
    json_array_end(&w);
    json_object_end(&w);
    puts(buf_cstr(&out));
}
