/* blocks/block_schema.c -- the fields of a block type at one version, found by their checksum. Blocks nested in them
 * are schemas of their own, linked by rows of block_schema_reference. */
#include "blocks/block.h"

#include "base/str_list.h"
#include "base/uuid.h"
#include "blocks/block_dict.h"
#include "blocks/block_fields.h"

enum {
    NESTED_MAX = 200,                /* blocks created for one body: each costs a walk over all of it */
    NESTED_DEPTH_MAX = 50,
    NESTED_FIELDS_MAX = 1 << 20,     /* bytes of fields that nest blocks */
    REFERENCES_MAX = 1000,           /* below one schema, on all levels */
    SECRETS_MAX = 500                /* each is compared with each value of a document */
};

static const Field columns[] = { /* order: of the keys in responses */
    FIELD(BlockSchema, id, F_UUID),
    FIELD(BlockSchema, created, F_TIME),
    FIELD(BlockSchema, updated, F_TIME),
    FIELD(BlockSchema, checksum, F_STR),
    FIELD(BlockSchema, fields, F_DICT),
    FIELD(BlockSchema, block_type_id, F_UUID, .flags = NULLABLE),
    FIELD(BlockSchema, block_type, F_OPT_MODEL, .flags = NULLABLE | VIRTUAL, .model = &block_type_model),
    FIELD(BlockSchema, capabilities, F_STRS),
    FIELD(BlockSchema, version, F_STR),
};
static const Field create_fields[] = {
    FIELD(BlockSchema, fields, F_DICT, .fallback = "{}"),
    FIELD(BlockSchema, block_type_id, F_UUID, .flags = NULLABLE),
    FIELD(BlockSchema, capabilities, F_STRS, .fallback = "[]"),
    FIELD(BlockSchema, version, F_STR, .fallback = "\"non-versioned\""),
};
const Model block_schema_model = MODEL(BlockSchema, columns, .table = "block_schema");
const Model block_schema_create_model = MODEL(BlockSchema, create_fields,
                                              .forbid_extra = true, .schema = "BlockSchemaCreate");

/* ---- reading: nested schemas are put back into the fields ---- */

/* A schema that is nested somewhere below the one that is read. */
typedef struct Nested {
    Str id, checksum, slug;
    Dict fields;              /* with block_schema_references */
    const Json *definitions;  /* of the blocks below it; NULL: not collected yet */
    bool under_way;
    struct Nested *next;
} Nested;

/* One schema is nested in another one under a name. */
typedef struct Edge {
    Nested *parent, *child;
    Str name;
    struct Edge *next;
} Edge;

/* All that is nested in one schema, while that is read: each schema once, however often it is nested. */
typedef struct Tree {
    Arena *arena;
    Nested *nodes;
    Edge *edges, **tail;
} Tree;

static Nested *find_node(const Tree *tree, Str id)
{
    Nested *node = tree->nodes;
    while (node && !str_eq(node->id, id))
        node = node->next;
    return node;
}

static Nested *add_node(Tree *tree, Str id, Str fields)
{
    Nested *node = arena_new_of(tree->arena, Nested);
    static const Json no_references = { .kind = JSON_OBJECT };
    node->id = id;
    node->next = tree->nodes;
    dict_init(&node->fields, tree->arena, json_object_of(tree->arena, fields));
    dict_put(&node->fields, STR("block_schema_references"), &no_references);
    tree->nodes = node;
    return node;
}

/* A reference as read. Its parent may come in a later row, so edges are made when all nodes are known. */
typedef struct EdgeRow {
    Str parent_id, name;
    Nested *child;
    struct EdgeRow *next;
} EdgeRow;

static bool fail_too_nested(Tx *tx)
{
    return fail(tx->error, ERR_TOO_LARGE,
                "The block schema nests too much: at most %d blocks on %d levels, in %d bytes, by %d references.",
                NESTED_MAX, NESTED_DEPTH_MAX, NESTED_FIELDS_MAX, REFERENCES_MAX);
}

/* Every reference below the schema, in the order in which the referred schemas were created, which is their order in
 * lists. UNION drops repeated rows, so that a circle ends. */
static EdgeRow *read_edge_rows(Tx *tx, Tree *tree)
{
    EdgeRow *first = NULL, **tail = &first;
    size_t count = 0;
    /* The root is still the only node. */
    Rows *rows = DB_QUERY(tx,
                          "WITH RECURSIVE nested (parent_id, name, id) AS ("
                          " SELECT parent_block_schema_id, name, reference_block_schema_id FROM block_schema_reference"
                          " WHERE parent_block_schema_id = $1"
                          " UNION SELECT reference.parent_block_schema_id, reference.name,"
                          " reference.reference_block_schema_id"
                          " FROM block_schema_reference AS reference"
                          " JOIN nested ON nested.id = reference.parent_block_schema_id)"
                          " SELECT nested.parent_id, nested.name, block_schema.id, block_schema.checksum,"
                          " block_type.slug, block_schema.fields"
                          " FROM nested JOIN block_schema ON block_schema.id = nested.id"
                          " JOIN block_type ON block_type.id = block_schema.block_type_id"
                          " ORDER BY block_schema.created, block_schema.id, nested.name",
                          v_uuid(tree->nodes->id));
    for (; db_next(rows); count++) {
        if (count == REFERENCES_MAX) {
            (void)fail_too_nested(tx);
            db_done(rows);
            break;
        }
        EdgeRow *row = arena_new_of(tree->arena, EdgeRow);
        Str id = row_text(rows, 2);
        row->parent_id = row_text(rows, 0);
        row->name = row_text(rows, 1);
        row->child = find_node(tree, id);
        if (!row->child)
            row->child = add_node(tree, id, row_text(rows, 5));
        row->child->checksum = row_text(rows, 3);
        row->child->slug = row_text(rows, 4);
        *tail = row;
        tail = &row->next;
    }
    return first;
}

static bool read_edges(Tx *tx, Tree *tree)
{
    for (const EdgeRow *row = read_edge_rows(tx, tree); row; row = row->next) {
        Edge *edge = arena_new_of(tree->arena, Edge);
        edge->parent = find_node(tree, row->parent_id);
        edge->child = row->child;
        edge->name = row->name;
        *tree->tail = edge;
        tree->tail = &edge->next;
    }
    return tx->error->code == ERR_NONE;
}

static const Json *reference_of(Arena *arena, const Nested *child)
{
    Dict dict;
    dict_init(&dict, arena, NULL);
    dict_put(&dict, STR("block_schema_checksum"), json_of_str(arena, child->checksum));
    dict_put(&dict, STR("block_type_slug"), json_of_str(arena, child->slug));
    return dict_object(&dict);
}

static bool same_reference(const Json *a, const Json *b)
{
    return str_eq(a->child->text, b->child->text) && str_eq(a->child->next->text, b->child->next->text);
}

/* One reference is an object, several different ones (of a union) are a list. */
static const Json *with_reference(Arena *arena, const Json *there, const Json *reference)
{
    bool is_list = there && there->kind == JSON_ARRAY;
    if (!there)
        return reference;
    for (const Json *item = is_list ? there->child : there; item; item = is_list ? item->next : NULL)
        if (same_reference(item, reference))
            return there;
    Json *list = arena_new_of(arena, Json), **tail = &list->child;
    list->kind = JSON_ARRAY;
    for (const Json *item = is_list ? there->child : there; item; item = is_list ? item->next : NULL) {
        *tail = arena_new_of(arena, Json);
        **tail = *item;
        (*tail)->key = STR_NULL;
        tail = &(*tail)->next;
    }
    *tail = arena_new_of(arena, Json);
    **tail = *reference;
    (*tail)->next = NULL;
    for (const Json *item = list->child; item; item = item->next)
        list->count++;
    return list;
}

static void add_all(Dict *dict, const Json *object)
{
    for (const Json *member = object && object->kind == JSON_OBJECT ? object->child : NULL; member;
         member = member->next)
        dict_put(dict, member->key, member);
}

static const Json *definitions_below(Tree *tree, Nested *node);

/* A nested block becomes a definition under its title; its own definitions move up next to it. */
static void add_definitions(Tree *tree, Dict *definitions, Nested *child)
{
    const Json *below = definitions_below(tree, child), *title = dict_get(&child->fields, STR("title"));
    if (!title || title->kind != JSON_STRING)
        return;
    Dict bare, all;
    dict_init(&all, tree->arena, dict_get(&child->fields, STR("definitions")));
    add_all(&all, below);
    dict_init(&bare, tree->arena, dict_object(&child->fields));
    dict_drop(&bare, STR("definitions"));
    dict_put(definitions, title->text, dict_object(&bare));
    add_all(definitions, dict_object(&all));
}

/* Puts references into the node's fields; returns the definitions of all blocks below it. A schema that leads
 * back to itself ends there. */
static const Json *definitions_below(Tree *tree, Nested *node)
{
    if (node->definitions || node->under_way)
        return node->definitions;
    Dict references, definitions;
    dict_init(&references, tree->arena, NULL);
    dict_init(&definitions, tree->arena, NULL);
    node->under_way = true;
    for (const Edge *edge = tree->edges; edge; edge = edge->next) {
        if (edge->parent == node)
            dict_put(&references, edge->name,
                     with_reference(tree->arena, dict_get(&references, edge->name),
                                    reference_of(tree->arena, edge->child)));
    }
    dict_put(&node->fields, STR("block_schema_references"), dict_object(&references));
    for (const Edge *edge = tree->edges; edge; edge = edge->next) {
        if (edge->parent == node)
            add_definitions(tree, &definitions, edge->child);
    }
    node->under_way = false;
    return node->definitions = dict_object(&definitions);
}

static bool read_nested_fields(Tx *tx, BlockSchema *schema)
{
    Tree tree = { .arena = tx->arena };
    tree.tail = &tree.edges;
    Nested *root = add_node(&tree, schema->id, schema->fields);
    if (!read_edges(tx, &tree))
        return false;
    const Json *below = definitions_below(&tree, root), *own = dict_get(&root->fields, STR("definitions"));
    if (below->count) {
        Dict all;
        dict_init(&all, tx->arena, own);
        add_all(&all, below);
        dict_put(&root->fields, STR("definitions"), dict_object(&all));
    }
    schema->fields = json_format(tx->arena, dict_object(&root->fields), JSON_STORED);
    return true;
}

BlockSchema *block_schema_read(Tx *tx, Str id)
{
    BlockSchema *schema = codec_read(tx, &block_schema_model, "WHERE block_schema.id = $1", v_uuid(id));
    if (!schema || !read_nested_fields(tx, schema))
        return NULL;
    schema->block_type = block_type_read(tx, schema->block_type_id);
    return tx->error->code == ERR_NONE ? schema : NULL;
}

/* Only the id of what block_schema_read_by_checksum reads. `catalog` may be NULL. */
static Str find_by_checksum(Tx *tx, const BlockCatalog *catalog, Str checksum, Str version)
{
    if (catalog)
        return block_catalog_schema(catalog, checksum, version);
    if (!version.p)
        return DB_TEXT(tx, "SELECT id FROM block_schema WHERE checksum = $1 ORDER BY created DESC, id DESC LIMIT 1",
                       v_text(checksum));
    return DB_TEXT(tx, "SELECT id FROM block_schema WHERE checksum = $1 AND version = $2", v_text(checksum),
                   v_text(version));
}

BlockSchema *block_schema_read_by_checksum(Tx *tx, Str checksum, Str version)
{
    Str id = find_by_checksum(tx, NULL, checksum, version);
    return id.p ? block_schema_read(tx, id) : NULL;
}

/* ---- creating ---- */

/* One that a new schema has been given. */
typedef struct Reference {
    Str name, child_id;
    struct Reference *next;
} Reference;

/* One schema being created, and the one in which it is nested; on the stack. */
typedef struct Making {
    Tx *tx;
    BlockCatalog *catalog;            /* what there is; NULL: to be asked of the database */
    const struct Making *parent;
    Str id, type_id, version, capabilities;
    const Json *fields, *definitions; /* of all blocks that may be nested; NULL: none */
    size_t size, depth;               /* of the body's fields; of levels */
    Reference *own;                   /* the schema's own references so far */
    size_t *count, *references;       /* made so far for the body; shared by all */
    bool created;
} Making;

static bool make_schema(Making *making);

static bool make_nested(const Making *parent, Str type_id, Str name, Str slug, Str *ret_id)
{
    Tx *tx = parent->tx;
    const Json *fields = block_fields_of_child(tx->arena, parent->fields, parent->definitions, name, slug);
    Making child = { .tx = tx, .catalog = parent->catalog, .parent = parent, .type_id = type_id,
                     .version = STR("non-versioned"),
                     .capabilities = STR("[]"), .fields = fields, .definitions = parent->definitions,
                     .size = parent->size, .depth = parent->depth + 1,
                     .count = parent->count, .references = parent->references };
    if (!fields)
        return fail(tx->error, ERR_INVALID,
                    "The fields of the block schema do not define the block that is nested as \"%.*s\".",
                    STR_ARG(name));
    if (child.depth > NESTED_DEPTH_MAX || ++*child.count > NESTED_MAX || child.size > NESTED_FIELDS_MAX)
        return fail_too_nested(tx);
    if (!make_schema(&child))
        return false;
    *ret_id = child.id;
    return true;
}

/* A schema that contains itself could not be read again. */
static bool is_its_own_parent(const Making *making, Str id)
{
    for (; making; making = making->parent)
        if (str_eq(making->id, id))
            return true;
    return false;
}

static bool has_reference(const Making *making, Str name, Str child_id)
{
    for (const Reference *own = making->own; own; own = own->next)
        if (str_eq(own->name, name) && str_eq(own->child_id, child_id))
            return true;
    return false;
}

static bool add_reference(Making *parent, Str name, Str child_id)
{
    Tx *tx = parent->tx;
    if (++*parent->references > REFERENCES_MAX)
        return fail_too_nested(tx);
    if (is_its_own_parent(parent, child_id))
        return fail(tx->error, ERR_INVALID, "The block that is nested as \"%.*s\" contains itself.", STR_ARG(name));
    if (has_reference(parent, name, child_id))
        return true;
    Reference *own = arena_new_of(tx->arena, Reference);
    *own = (Reference){ .name = name, .child_id = child_id, .next = parent->own };
    parent->own = own;
    return DB_SEND(tx,
                   "INSERT INTO block_schema_reference (id, created, updated, name, parent_block_schema_id, "
                   "reference_block_schema_id)"
                   " VALUES ($1, $2, $2, $3, $4, $5)",
                   v_uuid(uuid_new(tx->arena)), v_time(tx->now), v_text(name), v_uuid(parent->id), v_uuid(child_id));
}

static Str find_type(const Making *making, Str slug)
{
    if (!making->catalog)
        return DB_TEXT(making->tx, "SELECT id FROM block_type WHERE slug = $1", v_text(slug));
    const KnownType *type = block_catalog_type(making->catalog, slug);
    return type ? type->id : STR_NULL;
}

static bool make_reference(Making *parent, Str name, const Json *reference)
{
    Tx *tx = parent->tx;
    const Json *slug = json_get(reference, "block_type_slug"), *checksum = json_get(reference, "block_schema_checksum");
    if (!slug || slug->kind != JSON_STRING || !checksum || checksum->kind != JSON_STRING)
        return fail(tx->error, ERR_INVALID,
                    "The reference \"%.*s\" lacks a block_type_slug or a block_schema_checksum.", STR_ARG(name));
    Str type_id = find_type(parent, slug->text);
    if (!type_id.p)
        return fail(tx->error, ERR_CONFLICT,
                    "Cannot create block schema because block type %.*s was not found.Did you forget to register the "
                    "block type?",
                    STR_ARG(json_python_repr(tx->arena, slug->text)));
    Str id = find_by_checksum(tx, parent->catalog, checksum->text, STR_NULL);
    return (id.p || make_nested(parent, type_id, name, slug->text, &id)) && add_reference(parent, name, id);
}

static bool make_references(Making *parent)
{
    const Json *references = json_get(parent->fields, "block_schema_references");
    for (const Json *member = references && references->kind == JSON_OBJECT ? references->child : NULL; member;
         member = member->next) {
        bool is_list = member->kind == JSON_ARRAY; /* of a union */
        for (const Json *item = is_list ? member->child : member; item; item = is_list ? item->next : NULL)
            if (!make_reference(parent, member->key, item))
                return false;
    }
    return true;
}

static bool make_schema(Making *making)
{
    Tx *tx = making->tx;
    const Json *secrets = json_get(making->fields, "secret_fields");
    if (secrets && secrets->count > SECRETS_MAX)
        return fail(tx->error, ERR_TOO_LARGE, "The block schema has too many secret fields: at most %d.", SECRETS_MAX);
    const Json *all = block_fields_with_definitions(tx->arena, making->fields, making->definitions);
    Str checksum = block_fields_checksum(tx->arena, all),
        existing = find_by_checksum(tx, making->catalog, checksum, making->version);
    making->id = existing.p ? existing : uuid_new(tx->arena);
    if (existing.p || tx->error->code != ERR_NONE)
        return tx->error->code == ERR_NONE;
    BlockSchema schema = { .id = making->id, .created = tx->now, .updated = tx->now, .checksum = checksum,
                           .block_type_id = making->type_id, .capabilities = making->capabilities,
                           .version = making->version };
    schema.fields = json_format(tx->arena, block_fields_stored(tx->arena, all), JSON_STORED);
    making->created = true;
    if (making->catalog)
        block_catalog_add_schema(making->catalog, schema.id, checksum, schema.version);
    return codec_send_insert(tx, &block_schema_model, &schema) && make_references(making);
}

/* The answer for a new schema has exactly the definitions that were sent. */
static Str as_sent(Arena *arena, const Json *fields)
{
    static const Json no_references = { .kind = JSON_OBJECT };
    Dict dict;
    dict_init(&dict, arena, fields);
    if (!dict_get(&dict, STR("block_schema_references")))
        dict_put(&dict, STR("block_schema_references"), &no_references);
    return json_format(arena, dict_object(&dict), JSON_STORED);
}

/* *ret: what was made, or found. */
static bool make(Tx *tx, BlockCatalog *catalog, const BlockSchema *wanted, Making *ret)
{
    size_t count = 0, references = 0;
    Making making = { .tx = tx, .catalog = catalog, .type_id = wanted->block_type_id, .version = wanted->version,
                      .capabilities = wanted->capabilities, .fields = json_object_of(tx->arena, wanted->fields),
                      .size = wanted->fields.n, .count = &count, .references = &references };
    const Json *definitions = json_get(making.fields, "definitions");
    if (definitions && definitions->kind == JSON_OBJECT && definitions->count > 0)
        making.definitions = definitions;
    bool ok = make_schema(&making);
    making.count = making.references = NULL;
    *ret = making;
    return ok;
}

BlockSchema *block_schema_create(Tx *tx, const BlockSchema *wanted, bool *ret_created)
{
    Making made;
    if (!make(tx, NULL, wanted, &made))
        return NULL;
    BlockSchema *schema = block_schema_read(tx, made.id);
    *ret_created = made.created;
    if (schema && made.created)
        schema->fields = as_sent(tx->arena, made.fields);
    return schema;
}

bool block_schema_register(Tx *tx, const BlockSchema *wanted, BlockCatalog *catalog, bool *ret_created)
{
    Making made;
    if (!make(tx, catalog, wanted, &made))
        return false;
    *ret_created = made.created;
    return true;
}

/* ---- capabilities ---- */

static int compare_names(const void *a, const void *b)
{
    return str_compare((*(const Json *const *)a)->key, (*(const Json *const *)b)->key);
}

static void add_names(Dict *names, Arena *arena, Str list)
{
    const Json *json = json_read(arena, list);
    if (!json || json->kind != JSON_ARRAY)
        return;
    for (const Json *item = json->child; item; item = item->next)
        if (item->kind == JSON_STRING)
            dict_put(names, item->text, item);
}

Str block_schema_capabilities(Tx *tx)
{
    Dict dict;
    dict_init(&dict, tx->arena, NULL);
    for (Rows *rows = DB_QUERY(tx, "SELECT DISTINCT capabilities FROM block_schema"); db_next(rows);)
        add_names(&dict, tx->arena, row_text(rows, 0));
    const Json *all = dict_object(&dict);
    const Json **names = arena_alloc(tx->arena, (all->count + 1) * sizeof *names);
    size_t count = 0;
    for (const Json *name = all->child; name; name = name->next)
        names[count++] = name;
    qsort(names, count, sizeof *names, compare_names);
    Buf text;
    JsonWriter w;
    buf_init(&text, tx->arena, 256);
    json_writer_init(&w, &text, JSON_STORED);
    json_array(&w);
    for (size_t i = 0; i < count; i++)
        json_str(&w, names[i]->key);
    json_array_end(&w);
    return buf_view(&text);
}
