/* blocks/block_data.c -- the data of a block document as JSON trees:
 * hiding secrets, merging an update into what is stored. */
#include "blocks/block_data.h"

#include "base/uuid.h"
#include "blocks/block_dict.h"

static const char hidden_text[] = "********"; /* obfuscate_string of the reference, whatever the secret's length */

/* Ascending: if several secret_fields match a value, the strongest counts. SECRET_BELOW: a
 * "*" in one covers the value. */
typedef enum SecretKind { NOT_SECRET, SECRET, SECRET_BELOW } SecretKind;

/* Where a member is, on the stack of walk_object: its key, and the path of the object around it
 * (NULL: it is the data itself). */
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
    SecretKind found = NOT_SECRET;
    for (const Json *secret = secrets->child; secret && found != SECRET_BELOW; secret = secret->next) {
        SecretKind kind = secret->kind == JSON_STRING && secret->text.n ? match_secret(path, secret->text) : NOT_SECRET;
        found = kind > found ? kind : found;
    }
    return found;
}

static bool is_leaf(const Json *json)
{
    return json->kind != JSON_OBJECT || json->count == 0;
}

static bool is_hidden(const Json *json)
{
    return json->kind == JSON_STRING && str_is(json->text, hidden_text);
}

/* ---- leaves: anything but a non-empty object ---- */

typedef struct Walk {
    Arena *arena;
    const Json *schema_fields;
    /* What a leaf becomes; NULL drops it. `current`: the value stored in its place, or NULL. */
    const Json *(*leaf)(const struct Walk *walk, const Json *json, const Json *current, const Path *path);
} Walk;

static const Json *walk_object(const Walk *walk, const Json *object, const Json *current, const Path *parent)
{
    Dict made, stored;
    dict_init(&made, walk->arena, NULL);
    dict_init(&stored, walk->arena, current);
    for (const Json *member = object->child; member; member = member->next) {
        Path path = { parent, member->key, parent ? parent->depth + 1 : 0 };
        const Json *there = dict_get(&stored, member->key);
        const Json *value = is_leaf(member) ? walk->leaf(walk, member, there, &path)
                                            : walk_object(walk, member, there, &path);
        if (value)
            dict_put(&made, member->key, value);
    }
    const Json *result = dict_object(&made);
    /* a nested object without any leaves left is dropped, as when the object is rebuilt from its leaves */
    return parent && result->count == 0 ? NULL : result;
}

static const Json *hide_leaf(const Walk *walk, const Json *json, const Json *current, const Path *path)
{
    SecretKind kind = secret_kind(path, walk->schema_fields);
    (void)current;
    if (kind == NOT_SECRET || (kind == SECRET && json->kind == JSON_NULL))
        return json;
    return json_of_str(walk->arena, str_from(hidden_text));
}

/* A secret that equals what we show in its place was posted back by somebody who had read it. */
static const Json *keep_secret_leaf(const Walk *walk, const Json *json, const Json *current, const Path *path)
{
    SecretKind kind = is_hidden(json) ? secret_kind(path, walk->schema_fields) : NOT_SECRET;
    if (kind == NOT_SECRET)
        return json;
    if (kind == SECRET)
        return json_is_null(current) ? json : NULL;
    return current ? current : json;
}

const Json *block_data_obfuscate(Arena *arena, const Json *data, const Json *schema_fields)
{
    Walk walk = { .arena = arena, .schema_fields = schema_fields, .leaf = hide_leaf };
    return data->kind == JSON_OBJECT ? walk_object(&walk, data, NULL, NULL) : data;
}

const Json *block_data_update(Arena *arena, const Json *current, const Json *update, const Json *schema_fields,
                              bool merge)
{
    Walk walk = { .arena = arena, .schema_fields = schema_fields, .leaf = keep_secret_leaf };
    const Json *kept = walk_object(&walk, update, current, NULL);
    if (!merge)
        return kept;
    Dict merged;
    dict_init(&merged, arena, current);
    for (const Json *member = kept->child; member; member = member->next)
        dict_put(&merged, member->key, member);
    return dict_object(&merged);
}

/* ---- references ---- */

static bool read_reference(Arena *arena, const Json *member, Str *ret_id, Error *error)
{
    const Json *id = json_get(json_get(member, "$ref"), "block_document_id");
    if (json_is_null(id))
        return fail(error, ERR_BAD_REQUEST, "Received block reference without a block_document_id in key %.*s",
                    STR_ARG(member->key));
    if (id->kind != JSON_STRING || !uuid_parse(arena, id->text, ret_id))
        return fail(error, ERR_BAD_REQUEST,
                    "Received block reference with a block_document_id that is not an id in key %.*s",
                    STR_ARG(member->key));
    return true;
}

const Json *block_data_separate(Arena *arena, const Json *data, BlockReference **ret_references, Error *error)
{
    Dict plain;
    BlockReference *references = NULL, **tail = &references;
    dict_init(&plain, arena, NULL);
    for (const Json *member = data->child; member; member = member->next) {
        if (member->kind != JSON_OBJECT || !json_get(member, "$ref")) {
            dict_put(&plain, member->key, member);
            continue;
        }
        BlockReference *reference = arena_new_of(arena, BlockReference);
        reference->name = member->key;
        if (!read_reference(arena, member, &reference->document_id, error))
            return NULL;
        *tail = reference;
        tail = &reference->next;
    }
    *ret_references = references;
    return dict_object(&plain);
}
