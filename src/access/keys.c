/* access/keys.c -- reads, changes and writes keys.toml. Anything unknown invalidates the whole file: ignoring a field
 * that restricts a key would be unsafe. */
#include "access/keys.h"

#include "base/random.h"
#include "base/text.h"
#include "base/unicode.h"
#include "config/file_write.h"
#include "config/toml.h"

enum {
    NAME_MAX_LENGTH = 64,
    SECRET = 32,        /* random bytes of a key */
    START = 6 + 8       /* length of "orion_" and the 8 characters after it: 48 of the 256 bits */
};

static const char full_scope[] = "full", read_only_scope[] = "read-only", none_mark[] = "no_keys",
                  key_start[] = "orion_";

Str keys_shown(Arena *arena, Str name)
{
    const char *key = name.n ? memmem(name.p, name.n, key_start, sizeof key_start - 1) : NULL;
    return key ? arena_printf(arena, "%.*s%s...", (int)(key - name.p), name.p, key_start) : name;
}

/* ---- reading ---- */

static bool read_digest(Str text, unsigned char ret[SHA256_SIZE])
{
    if (text.n != 2 * SHA256_SIZE)
        return false;
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        int high = char_hex_value(text.p[2 * i]), low = char_hex_value(text.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

/* A quoted string or an unquoted TOML date. */
static bool read_time(const Toml *value, Time *ret)
{
    Moment moment;
    if (!moment_parse(value->kind == TOML_STRING ? value->text : value->literal, TIME_NULL, &moment))
        return false;
    *ret = moment.us;
    return true;
}

static bool read_field(Arena *arena, Key *key, const Toml *value, Error *error)
{
    bool text = value->kind == TOML_STRING, ok;
    if (str_is(value->key, "sha256")) {
        ok = text && read_digest(value->text, key->digest);
    } else if (str_is(value->key, "start")) {
        ok = text;
        key->start = value->text;
    } else if (str_is(value->key, "scope")) {
        ok = text && (str_is(value->text, full_scope) || str_is(value->text, read_only_scope));
        key->read_only = !str_is(value->text, full_scope);
    } else if (str_is(value->key, "created")) {
        ok = read_time(value, &key->created);
    } else if (str_is(value->key, "expires")) {
        ok = read_time(value, &key->expires);
    } else {
        Str name = keys_shown(arena, value->key);
        return fail(error, ERR_INVALID, "[keys.%.*s]: '%.*s' is unknown", STR_ARG(key->name), STR_ARG(name));
    }
    return ok || fail(error, ERR_INVALID, "[keys.%.*s]: the value of '%.*s' is not valid", STR_ARG(key->name),
                      STR_ARG(value->key));
}

static bool check_name(Str name, Error *error)
{
    if (str_starts(name, key_start))
        return fail(error, ERR_INVALID, "A key's name does not begin with '%s', as keys do", key_start);
    bool ok = name.n > 0 && name.n <= NAME_MAX_LENGTH;
    for (size_t i = 0; ok && i < name.n; i++)
        ok = char_is_letter(name.p[i]) || char_is_digit(name.p[i]) || (i > 0 && char_in(name.p[i], "-_.@"));
    return ok || fail(error, ERR_INVALID,
                      "A key's name has 1 to %d letters, digits, '-', '_', '.' or '@', and begins with a letter or "
                      "digit", NAME_MAX_LENGTH);
}

static Key *add_key(Keys *keys)
{
    Key **place = &keys->first;
    while (*place)
        place = &(*place)->next;
    *place = arena_new_of(keys->arena, Key);
    (*place)->expires = TIME_NULL;
    return *place;
}

/* With two scopes it would be unclear what a key may do. */
static bool is_only_one(const Keys *keys, const Key *key, Error *error)
{
    for (const Key *other = keys->first; other != key; other = other->next)
        if (memcmp(other->digest, key->digest, SHA256_SIZE) == 0)
            return fail(error, ERR_INVALID, "[keys.%.*s] and [keys.%.*s] have the same 'sha256'", STR_ARG(other->name),
                        STR_ARG(key->name));
    return true;
}

static bool read_key(Keys *keys, const Toml *table, Error *error)
{
    static const char *const needed[] = { "sha256", "scope" };
    if (!check_name(table->key, error))
        return false;
    if (table->kind != TOML_TABLE)
        return fail(error, ERR_INVALID, "keys.%.*s is not a table", STR_ARG(table->key));
    for (size_t i = 0; i < COUNT_OF(needed); i++)
        if (!toml_get(table, needed[i]))
            return fail(error, ERR_INVALID, "[keys.%.*s] has no '%s'", STR_ARG(table->key), needed[i]);
    Key *key = add_key(keys);
    key->name = table->key;
    for (const Toml *value = table->child; value; value = value->next)
        if (!read_field(keys->arena, key, value, error))
            return false;
    return is_only_one(keys, key, error);
}

/* A file without keys opens the server. One that is being copied, or was cut or emptied by mistake, may look like that
 * too: only the mark says that it is meant. */
static bool check_none(const Keys *keys, const Toml *mark, Error *error)
{
    bool marked = mark && mark->kind == TOML_BOOL && str_is(mark->text, "True");
    if (mark && !marked)
        return fail(error, ERR_INVALID, "the value of '%s' is not true", none_mark);
    if (mark && keys->first)
        return fail(error, ERR_INVALID, "'%s' is set, but there are keys", none_mark);
    return mark || keys->first || fail(error, ERR_INVALID, "it has no keys: create one, or remove the file");
}

bool keys_parse(Arena *arena, Str text, Keys *ret, Error *error)
{
    Toml *root;
    Keys keys = { .arena = arena };
    *ret = keys;
    if (!text.p)
        return true;
    if (!utf8_is_valid(text))
        return fail(error, ERR_INVALID, "it is not UTF-8");
    if (toml_bare_return(text))
        return fail(error, ERR_INVALID, "line %u: " TOML_BARE_RETURN, toml_bare_return(text));
    if (!toml_parse(arena, text, &root, error))
        return false;
    for (const Toml *part = root->child; part; part = part->next) {
        if (str_is(part->key, none_mark))
            continue;
        Str name = keys_shown(arena, part->key);
        if (!str_is(part->key, "keys") || part->kind != TOML_TABLE)
            return fail(error, ERR_INVALID, "'%.*s' is unknown: there are only tables [keys.NAME]", STR_ARG(name));
        for (const Toml *table = part->child; table; table = table->next)
            if (!read_key(&keys, table, error))
                return false;
    }
    if (!check_none(&keys, toml_get(root, none_mark), error))
        return false;
    *ret = keys;
    return true;
}

/* ---- writing ---- */

static void write_text(Buf *out, const char *name, Str value)
{
    buf_printf(out, "%s = ", name);
    toml_write_string(out, value);
    buf_char(out, '\n');
}

/* The digest comes last: a file that was cut has no key without its restrictions. */
static void write_key(Buf *out, const Key *key)
{
    buf_text(out, "\n[keys.");
    toml_write_key(out, key->name);
    buf_text(out, "]\n");
    write_text(out, "start", key->start.p ? key->start : STR(""));
    write_text(out, "scope", str_from(key->read_only ? read_only_scope : full_scope));
    write_text(out, "created", time_text(out->arena, key->created));
    if (key->expires != TIME_NULL)
        write_text(out, "expires", time_text(out->arena, key->expires));
    buf_text(out, "sha256 = \"");
    for (size_t i = 0; i < SHA256_SIZE; i++)
        buf_printf(out, "%02x", key->digest[i]);
    buf_text(out, "\"\n");
}

bool keys_write(const char *path, const Keys *keys, Error *error)
{
    Buf out;
    buf_init(&out, keys->arena, 1024);
    buf_text(&out, "# Written by `orion key`. A key is not kept here, only its SHA-256.\n");
    if (!keys->first)
        buf_printf(&out, "%s = true\n", none_mark);
    for (const Key *key = keys->first; key; key = key->next)
        write_key(&out, key);
    return file_write(keys->arena, path, buf_view(&out), error);
}

/* ---- changing ---- */

Key *keys_find(const Keys *keys, Str name)
{
    for (Key *key = keys->first; key; key = key->next)
        if (str_eq(key->name, name))
            return key;
    return NULL;
}

Key *keys_find_text(const Keys *keys, Str text)
{
    unsigned char digest[SHA256_SIZE];
    sha256(text, digest);
    Key *key = keys->first;
    while (key && memcmp(key->digest, digest, sizeof digest) != 0)
        key = key->next;
    return key;
}

bool keys_create(Keys *keys, Str name, bool read_only, Time now, Time expires, Str *ret_key, Error *error)
{
    unsigned char secret[SECRET];
    if (!check_name(name, error))
        return false;
    if (keys_find(keys, name))
        return fail(error, ERR_INVALID, "There is already a key %.*s: revoke it first, or use another name.",
                    STR_ARG(name));
    random_bytes(secret, sizeof secret);
    Str text = arena_printf(keys->arena, "%s%s", key_start, base64url_text(keys->arena, secret, sizeof secret).p);
    Key *key = add_key(keys);
    key->name = arena_str(keys->arena, name);
    key->start = (Str){ text.p, START };
    key->read_only = read_only;
    key->created = now - now % SECOND;
    key->expires = expires;
    sha256(text, key->digest);
    *ret_key = text;
    return true;
}

bool keys_revoke(Keys *keys, Str name)
{
    for (Key **place = &keys->first; *place; place = &(*place)->next) {
        if (str_eq((*place)->name, name)) {
            *place = (*place)->next;
            return true;
        }
    }
    return false;
}
