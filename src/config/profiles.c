/* config/profiles.c -- profiles.toml read, changed and written. */
#include "config/profiles.h"

#include "base/json.h"
#include "config/file_write.h"
#include "config/settings_3.h"

static const char default_name[] = "default", default_name_3[] = "ephemeral";

/* What Prefect 3 has without a file, and what a file's profile of that name begins with. */
static const struct { const char *profile, *setting, *value; } built_in_3[] = {
    { default_name_3, "PREFECT_SERVER_EPHEMERAL_ENABLED", "true" },
    { "local", "PREFECT_API_URL", "http://127.0.0.1:4200/api" },
    { "test", "PREFECT_SERVER_EPHEMERAL_ENABLED", "true" },
    { "test", "PREFECT_SERVER_DATABASE_CONNECTION_URL", "sqlite+aiosqlite:///:memory:" },
    { "cloud", NULL, NULL },
};

Profile *profiles_find(const Profiles *profiles, Str name)
{
    for (Profile *profile = profiles->first; profile; profile = profile->next)
        if (str_eq(profile->name, name))
            return profile;
    return NULL;
}

Profile *profiles_add(Profiles *profiles, Str name)
{
    Profile *profile = arena_new_of(profiles->arena, Profile);
    profile->name = arena_str(profiles->arena, name);
    Profile **place = &profiles->first;
    while (*place)
        place = &(*place)->next;
    return *place = profile;
}

void profiles_remove(Profiles *profiles, Str name)
{
    for (Profile **place = &profiles->first; *place; place = &(*place)->next) {
        if (str_eq((*place)->name, name)) {
            *place = (*place)->next;
            return;
        }
    }
}

ProfileEntry *profile_get(const Profile *profile, Str setting)
{
    for (ProfileEntry *entry = profile->entries; entry; entry = entry->next)
        if (str_eq(entry->name, setting))
            return entry;
    return NULL;
}

static ProfileEntry *entry_for(Arena *arena, Profile *profile, Str setting)
{
    ProfileEntry **place = &profile->entries;
    while (*place && !str_eq((*place)->name, setting))
        place = &(*place)->next;
    if (!*place) {
        *place = arena_new_of(arena, ProfileEntry);
        (*place)->name = arena_str(arena, setting);
    }
    return *place;
}

void profile_set(Arena *arena, Profile *profile, Str setting, Str value)
{
    ProfileEntry *entry = entry_for(arena, profile, setting);
    entry->kind = TOML_STRING;
    entry->text = arena_str(arena, value);
    entry->literal = STR_NULL;
    profile->built_in = false;
}

void profile_unset(Profile *profile, Str setting)
{
    for (ProfileEntry **place = &profile->entries; *place; place = &(*place)->next) {
        if (str_eq((*place)->name, setting)) {
            *place = (*place)->next;
            return;
        }
    }
}

void profile_merge(Arena *arena, Profile *to, const Profile *from)
{
    for (const ProfileEntry *entry = from->entries; entry; entry = entry->next) {
        if (profile_get(to, entry->name))
            continue;
        ProfileEntry *copy = entry_for(arena, to, entry->name);
        copy->kind = entry->kind;
        copy->text = entry->text;
        copy->literal = entry->literal;
        to->built_in = false;
    }
}

static void add_entry(Profiles *profiles, Profile *profile, Str name, const Toml *value)
{
    ProfileEntry *entry = entry_for(profiles->arena, profile, name);
    bool other = value->kind == TOML_TABLE || value->kind == TOML_OTHER;
    Str literal = value->literal.p ? value->literal : toml_inline(profiles->arena, value);
    entry->kind = other ? TOML_OTHER : value->kind;
    entry->text = arena_str(profiles->arena, other ? literal : value->text);
    entry->literal = arena_str(profiles->arena, literal);
}

/* `path` is null for the profile's own table. */
static void add_table_3(Profiles *profiles, Profile *profile, const Toml *table, Str path)
{
    for (const Toml *node = table->child; node; node = node->next) {
        Str inner = path.p ? arena_printf(profiles->arena, "%.*s.%.*s", STR_ARG(path), STR_ARG(node->key)) : node->key;
        const Setting3 *setting = setting_3_of_path(inner);
        if (node->kind == TOML_TABLE && !setting)
            add_table_3(profiles, profile, node, inner);
        else
            add_entry(profiles, profile, setting ? setting_3_name(setting, 0, profiles->arena) : inner, node);
    }
}

static bool add_profile(Profiles *profiles, const Toml *table, Error *error)
{
    if (table->kind != TOML_TABLE)
        return fail(error, ERR_INVALID, "profile %.*s is not a table", STR_ARG(table->key));
    Profile *profile = profiles_find(profiles, table->key);
    if (!profile)
        profile = profiles_add(profiles, table->key);
    profile->built_in = false;
    if (profiles->is_3)
        add_table_3(profiles, profile, table, STR_NULL);
    for (const Toml *value = profiles->is_3 ? NULL : table->child; value; value = value->next) {
        /* Keep settings of later releases and of this server; any other name is a mistake. */
        if (!str_starts(value->key, "PREFECT_") && !str_starts(value->key, "ORION_"))
            return fail(error, ERR_INVALID,
                        "1 validation error for Profile\nsettings\n  Unknown setting %.*s. (type=value_error)",
                        STR_ARG(json_python_repr(profiles->arena, value->key)));
        add_entry(profiles, profile, value->key, value);
    }
    return true;
}

static bool add_document(Profiles *profiles, const Toml *root, Error *error)
{
    const Toml *active = toml_get(root, "active"), *tables = toml_get(root, "profiles");
    if (active && active->kind != TOML_STRING)
        return fail(error, ERR_INVALID, "'active' is not a string");
    if (active && active->text.n > 0)
        profiles->active = arena_str(profiles->arena, active->text);
    if (tables && tables->kind != TOML_TABLE)
        return fail(error, ERR_INVALID, "'profiles' is not a table");
    for (const Toml *table = tables ? tables->child : NULL; table; table = table->next)
        if (!add_profile(profiles, table, error))
            return false;
    return true;
}

static void add_built_in_3(Profiles *profiles)
{
    for (size_t i = 0; i < COUNT_OF(built_in_3); i++) {
        Str name = str_from(built_in_3[i].profile);
        Profile *profile = profiles_find(profiles, name);
        if (!profile)
            profile = profiles_add(profiles, name);
        if (built_in_3[i].setting)
            profile_set(profiles->arena, profile, str_from(built_in_3[i].setting), str_from(built_in_3[i].value));
        profile->built_in = true;
    }
}

static bool load(Arena *arena, const char *path, Profiles *ret, Error *error)
{
    Str text;
    Toml *root;
    Error cause = { .code = ERR_NONE };
    if (!file_read(arena, path, &text, error))
        return false;
    if (!toml_parse(arena, text.p ? text : STR(""), &root, &cause) || !add_document(ret, root, &cause))
        return fail(error, ERR_INVALID, "%s: %s", path, cause.message);
    return true;
}

bool profiles_load(Arena *arena, const char *path, Profiles *ret, Error *error)
{
    *ret = (Profiles){ .arena = arena, .active = str_from(default_name) };
    /* First, so that it exists whatever the file holds; a table of that name in the file fills it. */
    profiles_add(ret, ret->active)->built_in = true;
    return load(arena, path, ret, error);
}

bool profiles_load_3(Arena *arena, const char *path, Profiles *ret, Error *error)
{
    *ret = (Profiles){ .arena = arena, .is_3 = true, .active = str_from(default_name_3) };
    add_built_in_3(ret);
    return load(arena, path, ret, error);
}

static void write_profile(Buf *out, const Profile *profile)
{
    buf_text(out, "\n[profiles.");
    toml_write_key(out, profile->name);
    buf_text(out, "]\n");
    for (const ProfileEntry *entry = profile->entries; entry; entry = entry->next) {
        toml_write_key(out, entry->name);
        buf_text(out, " = ");
        /* Strings are re-encoded: they may have come in a form that the Python client's reader misreads. */
        if (entry->kind == TOML_STRING || !entry->literal.p)
            toml_write_string(out, entry->text);
        else
            buf_str(out, entry->literal);
        buf_char(out, '\n');
    }
}

bool profiles_save(const char *path, const Profiles *profiles, Error *error)
{
    Buf out;
    buf_init(&out, profiles->arena, 1024);
    buf_text(&out, "active = ");
    toml_write_string(&out, profiles->active);
    buf_char(&out, '\n');
    for (const Profile *profile = profiles->first; profile; profile = profile->next)
        if (!profile->built_in)
            write_profile(&out, profile);
    return file_write(profiles->arena, path, buf_view(&out), error);
}
