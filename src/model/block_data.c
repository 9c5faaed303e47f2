/* model/block_data.c -- the data of a block document as JSON trees: hiding secrets, and merging an update into what is stored. */
#include "model/block_data.h"

static const char hidden_text[] = "********"; /* obfuscate_string of the reference, whatever the secret's length */

typedef enum SecretKind { NOT_SECRET, SECRET, SECRET_BELOW } SecretKind;

typedef struct Path {
    const struct Path *parent;
    Str key;
    size_t depth;
} Path;

static Str path_key(const Path *path, size_t index)
{
    while (path->depth > index)
        path = path->parent;
    return path->key;
}

static SecretKind match_secret(const Path *path, Str secret)
{
    size_t index = 0;
    for (;;) {
        const char *dot = memchr(secret.p, '.', secret.n);
        Str part = { secret.p, dot ? (size_t)(dot - secret.p) : secret.n };
        if (str_is(part, "*"))
            return SECRET_BELOW;
        if (index > path->depth || !str_eq(part, path_key(path, index)))
            return NOT_SECRET;
        index++;
        if (!dot)
            return index == path->depth + 1 ? SECRET : NOT_SECRET;
        secret = (Str){ dot + 1, secret.n - part.n - 1 };
    }
}

static SecretKind secret_kind(const Path *path, const Json *schema_fields)
{
    const Json *secrets = json_get(schema_fields, "secret_fields");
    if (!secrets || secrets->kind != JSON_ARRAY)
        return NOT_SECRET;
    for (const Json *secret = secrets->child; secret; secret = secret->next) {
        SecretKind kind = secret->kind == JSON_STRING && secret->text.n ? match_secret(path, secret->text) : NOT_SECRET;
        if (kind != NOT_SECRET)
            return kind;
    }
    return NOT_SECRET;
}

static bool is_leaf(const Json *json)
{
    return json->kind != JSON_OBJECT || json->count == 0;
}

static bool is_hidden(const Json *json)
{
    return json->kind == JSON_STRING && str_is(json->text, hidden_text);
}

static const Json *at_path(const Json *root, const Path *path)
{
    if (path->parent)
        root = at_path(root, path->parent);
    if (!root || root->kind != JSON_OBJECT)
        return NULL;
    for (const Json *member = root->child; member; member = member->next)
        if (str_eq(member->key, path->key))
            return member;
    return NULL;
}

/* ---- building ---- */

typedef struct Walk {
    Arena *arena;
    const Json *schema_fields;
    /* What becomes of a leaf; NULL drops it. */
    const Json *(*leaf)(struct Walk *walk, const Json *json, const Path *path);
    const Json *current;
} Walk;

static Json *copy_as(Arena *arena, const Json *json, Str key)
{
    Json *copy = arena_new_of(arena, Json);
    *copy = *json;
    copy->key = key;
    copy->next = NULL;
    return copy;
}

static void append(Json *object, Json ***tail, Json *member)
{
    **tail = member;
    *tail = &member->next;
    object->count++;
}

static const Json *walk_object(Walk *walk, const Json *object, const Path *parent)
{
    Json *copy = copy_as(walk->arena, object, object->key);
    Json **tail = &copy->child;
    copy->child = NULL;
    copy->count = 0;
    for (const Json *member = object->child; member; member = member->next) {
        Path path = { parent, member->key, parent ? parent->depth + 1 : 0 };
        const Json *made = is_leaf(member) ? walk->leaf(walk, member, &path) : walk_object(walk, member, &path);
        if (made)
            append(copy, &tail, copy_as(walk->arena, made, member->key));
    }
    return parent && copy->count == 0 ? NULL : copy; /* a nested object that lost all its leaves is gone, as when rebuilt from them */
}

static const Json *hide_leaf(Walk *walk, const Json *json, const Path *path)
{
    SecretKind kind = secret_kind(path, walk->schema_fields);
    if (kind == NOT_SECRET || (kind == SECRET && json->kind == JSON_NULL))
        return json;
    Json *hidden = arena_new_of(walk->arena, Json);
    hidden->kind = JSON_STRING;
    hidden->text = str_from(hidden_text);
    return hidden;
}

/* A secret that equals what we show in its place is somebody posting back what they read. */
static const Json *keep_secret_leaf(Walk *walk, const Json *json, const Path *path)
{
    SecretKind kind = is_hidden(json) ? secret_kind(path, walk->schema_fields) : NOT_SECRET;
    if (kind == NOT_SECRET)
        return json;
    const Json *current = at_path(walk->current, path);
    if (kind == SECRET)
        return json_is_null(current) ? json : NULL;
    return current ? current : json;
}

const Json *block_data_obfuscate(Arena *arena, const Json *data, const Json *schema_fields)
{
    Walk walk = { .arena = arena, .schema_fields = schema_fields, .leaf = hide_leaf };
    return data->kind == JSON_OBJECT ? walk_object(&walk, data, NULL) : data;
}

static bool has_key(const Json *object, Str key)
{
    for (const Json *member = object->child; member; member = member->next)
        if (str_eq(member->key, key))
            return true;
    return false;
}

const Json *block_data_update(Arena *arena, const Json *current, const Json *update, const Json *schema_fields, bool merge)
{
    Walk walk = { .arena = arena, .schema_fields = schema_fields, .leaf = keep_secret_leaf, .current = current };
    const Json *kept = walk_object(&walk, update, NULL);
    if (!merge || current->kind != JSON_OBJECT)
        return kept;
    Json *merged = copy_as(arena, current, STR_NULL);
    Json **tail = &merged->child;
    merged->child = NULL;
    merged->count = 0;
    for (const Json *member = current->child; member; member = member->next) {
        Path path = { NULL, member->key, 0 };
        const Json *replaced = at_path(kept, &path);
        append(merged, &tail, copy_as(arena, replaced ? replaced : member, member->key));
    }
    for (const Json *member = kept->child; member; member = member->next)
        if (!has_key(current, member->key))
            append(merged, &tail, copy_as(arena, member, member->key));
    return merged;
}
