/* cli/pretty_json.c -- JSON on several lines, as commands of Prefect 3 print it with `--output json`. */
#include "cli/pretty_json.h"

#include "base/json.h"

static void print_value(const Cli *cli, const Json *json, int depth);

static void print_members(const Cli *cli, const Json *json, int depth)
{
    bool is_object = json->kind == JSON_OBJECT;
    puts(is_object ? "{" : "[");
    for (const Json *member = json->child; member; member = member->next) {
        Str key = { "", 0 };
        if (is_object)
            key = json_format(cli->arena, &(Json){ .kind = JSON_STRING, .text = member->key }, JSON_WIRE);
        printf("%*s%.*s%s", 2 * depth + 2, "", STR_ARG(key), is_object ? ": " : "");
        print_value(cli, member, depth + 1);
        puts(member->next ? "," : "");
    }
    printf("%*s%s", 2 * depth, "", is_object ? "}" : "]");
}

/* The depth is that of what our own commands write. */
static void print_value(const Cli *cli, const Json *json, int depth)
{
    if (json->child)
        print_members(cli, json, depth);
    else
        printf("%.*s", STR_ARG(json_format(cli->arena, json, JSON_WIRE)));
}

void cli_print_json(const Cli *cli, Str text)
{
    const Json *json = json_read(cli->arena, text);
    if (json)
        print_value(cli, json, 0);
    putchar('\n');
}

int cli_output_is_json(const Cli *cli, bool *ret)
{
    const char *format = cli_option(cli, "output");
    *ret = format != NULL;
    if (format && !str_same_word(str_from(format), STR("json")))
        return cli_bad(cli, "Only 'json' output format is supported.");
    return 0;
}
