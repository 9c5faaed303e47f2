/* cli/cmd_config_3.c -- `config view` and `config validate` as Prefect 3 has them: the settings by the names of 3.8.3,
 * those that only its client reads too, and beside them this server's own. */
#include "base/json.h"
#include "cli/cli.h"
#include "cli/config_change.h"
#include "cli/pretty_json.h"
#include "config/settings_3.h"

static const char *const source_names[] = {
    [FROM_DEFAULT] = "defaults", [FROM_PROFILE] = "profile", [FROM_PYPROJECT] = "pyproject.toml",
    [FROM_PREFECT_TOML] = "prefect.toml", [FROM_DOTENV] = ".env file", [FROM_FILE] = "orion.toml",
    [FROM_ENVIRONMENT] = "env",
};

typedef struct Shown {
    Str name, value;
    SettingSource source;
} Shown;

/* "${NAME}…" with the value of that setting of ours. */
static Str expand(const Cli *cli, const char *fallback)
{
    const char *close = fallback && strncmp(fallback, "${", 2) == 0 ? strchr(fallback, '}') : NULL;
    if (!close)
        return str_from(fallback);
    Str name = { fallback + 2, (size_t)(close - fallback) - 2 };
    Str value = settings_text(cli->settings, arena_cstr(cli->arena, name));
    return value.p ? arena_printf(cli->arena, "%.*s%s", STR_ARG(value), close + 1) : STR_NULL;
}

/* False: it is not shown. */
static bool show(const Cli *cli, const Setting3 *setting, Shown *ret)
{
    *ret = (Shown){ .name = setting_3_name(setting, 0, cli->arena) };
    ret->value = settings_given_3(cli->settings, setting, &ret->source);
    if (!ret->value.p && (!cli_switch(cli, "show-defaults", false) || setting->flags & SETTING_3_TABLE))
        return false;
    if (setting->flags & SETTING_SECRET && !cli_switch(cli, "show-secrets", false))
        ret->value = STR("********");
    else if (!ret->value.p)
        ret->value = expand(cli, setting->fallback);
    if (!ret->value.p)
        ret->value = STR("None");
    return true;
}

/* One that Prefect 3 does not have. */
static bool show_own(const Cli *cli, const Setting *setting, Shown *ret)
{
    *ret = (Shown){ .name = str_from(setting->name), .value = settings_given(cli->settings, setting->name),
                    .source = settings_source(cli->settings, setting->name) };
    bool shows_default = setting->flags & SETTING_OWN && cli_switch(cli, "show-defaults", false);
    if (setting_3_of(setting) || (ret->source == FROM_DEFAULT && !shows_default))
        return false;
    if (setting->flags & SETTING_SECRET && !cli_switch(cli, "show-secrets", false))
        ret->value = STR("********");
    else if (!ret->value.p)
        ret->value = STR("None");
    return true;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const Shown *)a)->name.p, ((const Shown *)b)->name.p);
}

static void print_json(const Cli *cli, const Shown *shown, size_t count)
{
    Buf out;
    JsonWriter w;
    Str url = settings_text(cli->settings, "PREFECT_UI_URL");
    buf_init(&out, cli->arena, 4096);
    json_writer_init(&w, &out, JSON_WIRE);
    json_object(&w);
    json_key(&w, "profile");
    json_text(&w, settings_profile(cli->settings));
    json_key(&w, "settings");
    json_array(&w);
    for (size_t i = 0; i < count; i++) {
        json_object(&w);
        json_key(&w, "name");
        json_str(&w, shown[i].name);
        json_key(&w, "value");
        json_str(&w, shown[i].value);
        if (cli_switch(cli, "show-sources", true)) {
            json_key(&w, "source");
            json_text(&w, source_names[shown[i].source]);
        }
        json_object_end(&w);
    }
    json_array_end(&w);
    if (url.n) {
        json_key(&w, "ui_url");
        json_str(&w, url);
    }
    json_object_end(&w);
    cli_print_json(cli, buf_view(&out));
}

static void print_lines(const Cli *cli, const Shown *shown, size_t count)
{
    Str url = settings_text(cli->settings, "PREFECT_UI_URL");
    if (url.n)
        printf("\U0001F680 you are connected to:\n%.*s\n", STR_ARG(url));
    printf("PREFECT_PROFILE=%s\n", cli_quoted(cli, str_from(settings_profile(cli->settings))));
    for (size_t i = 0; i < count; i++) {
        printf("%.*s='%.*s'", STR_ARG(shown[i].name), STR_ARG(shown[i].value));
        if (cli_switch(cli, "show-sources", true))
            printf(" (from %s)", source_names[shown[i].source]);
        putchar('\n');
    }
}

int cmd_config_3_view(Cli *cli)
{
    bool as_json;
    int status = cli_output_is_json(cli, &as_json);
    if (status)
        return status;
    Shown *shown = arena_zalloc(cli->arena, (setting_3_count + setting_count) * sizeof *shown);
    size_t count = 0;
    for (size_t i = 0; i < setting_3_count; i++)
        count += show(cli, &setting_3_table[i], &shown[count]);
    for (size_t i = 0; i < setting_count; i++)
        if (!(setting_table[i].flags & SETTING_CLIENT))
            count += show_own(cli, &setting_table[i], &shown[count]);
    qsort(shown, count, sizeof *shown, compare);
    if (as_json)
        print_json(cli, shown, count);
    else
        print_lines(cli, shown, count);
    return 0;
}

static const ProfileEntry *entry_of(const Cli *cli, const Profile *profile, const Setting3 *setting)
{
    Str name;
    const ProfileEntry *entry = NULL;
    for (size_t i = 0; !entry && (name = setting_3_name(setting, i, cli->arena)).p; i++)
        entry = profile_get(profile, name);
    return entry;
}

int config_3_check(const Cli *cli, const Profile *profile)
{
    Buf out;
    buf_init(&out, cli->arena, 256);
    for (size_t i = 0; i < setting_3_count; i++) {
        const Setting3 *setting = &setting_3_table[i];
        const ProfileEntry *entry = entry_of(cli, profile, setting);
        Str message;
        if (entry && entry->kind != TOML_OTHER && !setting_3_check(setting, entry->text, cli->arena, &message))
            buf_printf(&out, "Validation error(s) for setting %.*s\n\n - %.*s\n\n",
                       STR_ARG(setting_3_name(setting, 0, cli->arena)), STR_ARG(message));
    }
    return out.n ? cli_bad(cli, "%s", buf_cstr(&out)) : 0;
}

/* Gives the profile's settings the names of 3.8.3, of which one that is there already counts. */
static void rename_all(const Cli *cli, Profile *profile)
{
    for (ProfileEntry *entry = profile->entries, *next; entry; entry = next) {
        next = entry->next;
        const Setting *ours = setting_find_any(entry->name);
        const Setting3 *setting = setting_3_find(entry->name);
        if (!setting && ours)
            setting = setting_3_of(ours);
        Str name = setting ? setting_3_name(setting, 0, cli->arena) : entry->name;
        if (str_eq(name, entry->name))
            continue;
        if (profile_get(profile, name))
            profile_unset(profile, entry->name);
        else
            entry->name = name;
    }
}

int cmd_config_3_validate(Cli *cli)
{
    Profiles profiles;
    int lock = -1;
    int status = profiles_open_to_change(cli, &profiles, &lock);
    const Profile *current = status ? NULL : profiles_find(&profiles, str_from(settings_profile(cli->settings)));
    if (status || (current && (status = config_3_check(cli, current))))
        return status;
    for (Profile *profile = profiles.first; profile; profile = profile->next)
        if (!profile->built_in)
            rename_all(cli, profile);
    if ((status = profiles_store(cli, &profiles, lock)))
        return status;
    cli_good(cli, "Configuration valid!");
    return 0;
}
