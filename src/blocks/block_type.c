/* blocks/block_type.c -- a block type names a kind of configuration; its fields are in block_schema.c. */
#include "blocks/block.h"

#include "base/uuid.h"
#include "entity/checks.h"

bool block_name_is_plain(Str name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    if (name.n && name.p[name.n - 1] == '\n')
        name.n--; /* '$' in the reference's pattern also matches before it */
    for (size_t i = 0; i < name.n; i++)
        if (!char_in(name.p[i], allowed))
            return false;
    return true;
}

static bool check_slug(Invalid *invalid, void *member)
{
    return block_name_is_plain(*(Str *)member) ||
           invalid_add(invalid, "value_error", NULL, "slug must only contain lowercase letters, numbers, and dashes");
}

#define URL_SCHEMA "{\"type\": \"string\", \"format\": \"uri\", \"minLength\": 1, \"maxLength\": 2083}"

static const Field columns[] = { /* order: of the keys in responses */
    FIELD(BlockType, id, F_UUID),
    FIELD(BlockType, created, F_TIME),
    FIELD(BlockType, updated, F_TIME),
    FIELD(BlockType, name, F_STR),
    FIELD(BlockType, slug, F_STR),
    FIELD(BlockType, logo_url, F_STR, .flags = NULLABLE, .schema = URL_SCHEMA),
    FIELD(BlockType, documentation_url, F_STR, .flags = NULLABLE, .schema = URL_SCHEMA),
    FIELD(BlockType, description, F_STR, .flags = NULLABLE),
    FIELD(BlockType, code_example, F_STR, .flags = NULLABLE),
    FIELD(BlockType, is_protected, F_BOOL),
};
static const Field create_fields[] = {
    FIELD(BlockType, name, F_STR, .flags = REQUIRED, .check = check_name),
    FIELD(BlockType, slug, F_STR, .flags = REQUIRED, .check = check_slug),
    FIELD(BlockType, logo_url, F_STR, .flags = NULLABLE, .check = block_check_url, .schema = URL_SCHEMA),
    FIELD(BlockType, documentation_url, F_STR, .flags = NULLABLE, .check = block_check_url, .schema = URL_SCHEMA),
    FIELD(BlockType, description, F_STR, .flags = NULLABLE),
    FIELD(BlockType, code_example, F_STR, .flags = NULLABLE),
};
static const Field update_fields[] = {
    FIELD(BlockType, logo_url, F_STR, .flags = NULLABLE, .check = block_check_url, .schema = URL_SCHEMA),
    FIELD(BlockType, documentation_url, F_STR, .flags = NULLABLE, .check = block_check_url, .schema = URL_SCHEMA),
    FIELD(BlockType, description, F_STR, .flags = NULLABLE),
    FIELD(BlockType, code_example, F_STR, .flags = NULLABLE),
};
const Model block_type_model = MODEL(BlockType, columns, .table = "block_type");
const Model block_type_create_model = MODEL(BlockType, create_fields,
                                            .forbid_extra = true, .schema = "BlockTypeCreate");
const Model block_type_update_model = MODEL(BlockType, update_fields, .table = "block_type",
                                            .forbid_extra = true, .schema = "BlockTypeUpdate");

BlockType *block_type_read(Tx *tx, Str id)
{
    return codec_read(tx, &block_type_model, "WHERE block_type.id = $1", v_uuid(id));
}

BlockType *block_type_read_by_slug(Tx *tx, Str slug)
{
    return codec_read(tx, &block_type_model, "WHERE block_type.slug = $1", v_text(slug));
}

/* html.escape without quotes. */
static Str escape(Arena *arena, Str text)
{
    if (!text.p)
        return text;
    Buf out;
    buf_init(&out, arena, text.n + 16);
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '&' || c == '<' || c == '>')
            buf_text(&out, c == '&' ? "&amp;" : c == '<' ? "&lt;" : "&gt;");
        else
            buf_char(&out, c);
    }
    return (Str){ buf_cstr(&out), out.n };
}

void block_type_escape(Arena *arena, BlockType *type)
{
    type->description = escape(arena, type->description);
    type->code_example = escape(arena, type->code_example);
}

BlockType *block_type_insert(Tx *tx, const BlockType *wanted)
{
    BlockType *type = arena_new_of(tx->arena, BlockType);
    *type = *wanted;
    type->id = uuid_new(tx->arena);
    type->created = type->updated = tx->now;
    block_type_escape(tx->arena, type);
    return codec_send_insert(tx, &block_type_model, type) ? type : NULL;
}

BlockType *block_type_create(Tx *tx, const BlockType *wanted)
{
    int64_t taken = DB_INT(tx, 0, "SELECT count(*) FROM block_type WHERE slug = $1", v_text(wanted->slug));
    if (taken)
        (void)fail(tx->error, ERR_CONFLICT, "Block type with name \"%.*s\" already exists", STR_ARG(wanted->name));
    return tx->error->code == ERR_NONE ? block_type_insert(tx, wanted) : NULL;
}
