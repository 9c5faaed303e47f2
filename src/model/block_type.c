/* model/block_type.c -- a block type names a kind of configuration; its fields are in block_schema.c. */
#include "model/block.h"

#include <strings.h>

#include "base/ident.h"
#include "model/flow.h"

bool block_name_is_plain(Str name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    for (size_t i = 0; i < name.n; i++)
        if (!name.p[i] || !strchr(allowed, name.p[i]))
            return false;
    return true;
}

static bool check_slug(Invalid *invalid, void *member)
{
    return block_name_is_plain(*(Str *)member) || invalid_add(invalid, "value_error", NULL, "slug must only contain lowercase letters, numbers, and dashes");
}

/* pydantic's HttpUrl, as far as its three usual refusals go. */
static bool check_http_url(Invalid *invalid, void *member)
{
    Str url = *(Str *)member;
    if (!url.p)
        return true;
    if (url.n == 0)
        return invalid_add(invalid, "value_error.any_str.min_length", "{\"limit_value\":1}", "ensure this value has at least 1 characters");
    const char *scheme_end = memmem(url.p, url.n, "://", 3);
    if (!scheme_end)
        return invalid_add(invalid, "value_error.url.scheme", NULL, "invalid or missing URL scheme");
    size_t n = (size_t)(scheme_end - url.p);
    bool http = (n == 4 && strncasecmp(url.p, "http", 4) == 0) || (n == 5 && strncasecmp(url.p, "https", 5) == 0);
    if (!http)
        return invalid_add(invalid, "value_error.url.scheme", "{\"allowed_schemes\":[\"http\",\"https\"]}", "URL scheme not permitted");
    if (n + 3 == url.n || strchr("/?#:", url.p[n + 3]))
        return invalid_add(invalid, "value_error.url.host", NULL, "URL host invalid");
    return true;
}

static const Field columns[] = { /* order: of the keys in responses */
    FIELD(BlockType, id, F_UUID),
    FIELD(BlockType, created, F_TIME),
    FIELD(BlockType, updated, F_TIME),
    FIELD(BlockType, name, F_STR),
    FIELD(BlockType, slug, F_STR),
    FIELD(BlockType, logo_url, F_STR),
    FIELD(BlockType, documentation_url, F_STR),
    FIELD(BlockType, description, F_STR),
    FIELD(BlockType, code_example, F_STR),
    FIELD(BlockType, is_protected, F_BOOL),
};
static const Field create_fields[] = {
    FIELD(BlockType, name, F_STR, .flags = REQUIRED, .check = check_name),
    FIELD(BlockType, slug, F_STR, .flags = REQUIRED, .check = check_slug),
    FIELD(BlockType, logo_url, F_STR, .flags = NULLABLE, .check = check_http_url),
    FIELD(BlockType, documentation_url, F_STR, .flags = NULLABLE, .check = check_http_url),
    FIELD(BlockType, description, F_STR, .flags = NULLABLE),
    FIELD(BlockType, code_example, F_STR, .flags = NULLABLE),
};
static const Field update_fields[] = {
    FIELD(BlockType, logo_url, F_STR, .flags = NULLABLE, .check = check_http_url),
    FIELD(BlockType, documentation_url, F_STR, .flags = NULLABLE, .check = check_http_url),
    FIELD(BlockType, description, F_STR, .flags = NULLABLE),
    FIELD(BlockType, code_example, F_STR, .flags = NULLABLE),
};
const Model block_type_model = MODEL(BlockType, columns);
const Model block_type_create_model = MODEL(BlockType, create_fields, .forbid_extra = true);
const Model block_type_update_model = MODEL(BlockType, update_fields, .forbid_extra = true);

#define SELECT_BLOCK_TYPE \
    "SELECT id, created, updated, name, slug, logo_url, documentation_url, description, code_example, is_protected FROM block_type "

BlockType *block_type_read(Tx *tx, Str id)
{
    return codec_first_row(tx, DB_QUERY(tx, SELECT_BLOCK_TYPE "WHERE id = $1", v_uuid(id)), &block_type_model);
}

BlockType *block_type_read_by_slug(Tx *tx, Str slug)
{
    return codec_first_row(tx, DB_QUERY(tx, SELECT_BLOCK_TYPE "WHERE slug = $1", v_text(slug)), &block_type_model);
}

BlockType *block_type_create(Tx *tx, const BlockType *wanted)
{
    BlockType *type = arena_new_of(tx->arena, BlockType);
    *type = *wanted;
    type->id = uuid_new(tx->arena);
    type->created = type->updated = tx->now;
    int64_t taken = DB_INT(tx, 0, "SELECT count(*) FROM block_type WHERE slug = $1", v_text(type->slug));
    if (taken) {
        (void)fail(tx->error, ERR_CONFLICT, "Block type with name \"%.*s\" already exists", STR_ARG(type->name));
        return NULL;
    }
    return codec_insert(tx, &block_type_model, "block_type", type, NULL) == 1 ? type : NULL;
}

bool block_type_register(Tx *tx)
{
    /* Name and protection are the server's; the rest is filled in by the client that first uses it. */
    BlockType type = { .name = STR("Local File System"), .slug = STR("local-file-system"), .is_protected = true };
    type.id = uuid_new(tx->arena);
    type.created = type.updated = tx->now;
    return codec_insert(tx, &block_type_model, "block_type", &type, "ON CONFLICT DO NOTHING") >= 0;
}
