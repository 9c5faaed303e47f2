/* upgrade/steps.c -- what migrations do to rows that SQL cannot say, on both engines. Each step does what the
 * reference's revision does in which the chains name it. */
#include "upgrade/upgrade.h"

#include "base/json.h"
#include "base/uuid.h"
#include "blocks/block_fields.h"
#include "python/message_template.h"

/* ---- rows, read before the first of them is changed ---- */

enum { COLUMNS_MAX = 5 };

typedef struct Record {
    Str values[COLUMNS_MAX];
} Record;

typedef struct Records {
    Record *items;
    size_t count, capacity;
} Records;

static Records read_all(Tx *tx, Rows *rows, int columns)
{
    Records all = { NULL };
    while (db_next(rows)) {
        all.items = arena_grow(tx->arena, all.items, all.count, &all.capacity, sizeof *all.items);
        Record *record = &all.items[all.count++];
        for (int i = 0; i < columns; i++)
            record->values[i] = row_text(rows, i);
    }
    return all;
}

/* ---- block types and schemas ---- */

static Str id_of_type(Tx *tx, Str name)
{
    return DB_TEXT(tx, "SELECT id FROM block_type WHERE name = $1", v_text(name));
}

static bool give_type(Tx *tx, Str schema, Str name, Str fields)
{
    Str id = id_of_type(tx, name);
    if (!id.p && DB_EXEC(tx, "INSERT INTO block_type (name) VALUES ($1)", v_text(name)) == 1)
        id = id_of_type(tx, name);
    Str checksum = block_fields_checksum(tx->arena, json_read(tx->arena, fields));
    return DB_EXEC(tx, "UPDATE block_schema SET checksum = $1, block_type_id = $2 WHERE id = $3", v_text(checksum),
                   v_uuid(id), v_uuid(schema)) >= 0
           && DB_EXEC(tx, "UPDATE block_document SET block_type_id = $1 WHERE block_schema_id = $2", v_uuid(id),
                      v_uuid(schema)) >= 0;
}

/* A type for each name of a schema. */
static bool make_block_types(Tx *tx)
{
    Records schemas = read_all(tx, DB_QUERY(tx, "SELECT id, name, fields FROM block_schema"), 3);
    for (size_t i = 0; i < schemas.count; i++) {
        const Str *values = schemas.items[i].values;
        if (!give_type(tx, values[0], values[1], values[2]))
            return false;
    }
    return tx->error->code == ERR_NONE;
}

typedef struct Member {
    Str key, value; /* JSON */
} Member;

/* The object with these members: in the place of those that it has, else at its end. Values may be null: left as is. */
static Str with_members(Arena *arena, const Json *object, const Member *members, size_t count)
{
    Buf out;
    JsonWriter w;
    buf_init(&out, arena, 1024);
    json_writer_init(&w, &out, JSON_STORED);
    json_object(&w);
    for (const Json *child = object ? object->child : NULL; child; child = child->next) {
        json_key_str(&w, child->key);
        Str value = STR_NULL;
        for (size_t i = 0; i < count; i++)
            if (str_eq(members[i].key, child->key))
                value = members[i].value;
        if (value.p)
            json_stored(&w, value);
        else
            json_value(&w, child);
    }
    for (size_t i = 0; i < count; i++)
        if (members[i].value.p && !json_get(object, members[i].key.p)) {
            json_key_str(&w, members[i].key);
            json_stored(&w, members[i].value);
        }
    json_object_end(&w);
    return buf_view(&out);
}

static Str as_json(Arena *arena, Str text)
{
    Buf out;
    JsonWriter w;
    buf_init(&out, arena, text.n + 2);
    json_writer_init(&w, &out, JSON_STORED);
    json_str(&w, text);
    return buf_view(&out);
}

static bool write_fields(Tx *tx, Str schema, Str fields)
{
    Str checksum = block_fields_checksum(tx->arena, json_read(tx->arena, fields));
    return DB_EXEC(tx, "UPDATE block_schema SET fields = $1, checksum = $2 WHERE id = $3", v_json(fields),
                   v_text(checksum), v_uuid(schema)) >= 0;
}

/* BLOCK_SCHEMA_TITLE_MAP: as their classes were called by then. */
static Str title_of(Str type)
{
    static const char *const titles[][2] = {
        { "S3 Storage", "\"S3StorageBlock\"" },
        { "Temporary Local Storage", "\"TempStorageBlock\"" },
        { "Local Storage", "\"LocalStorageBlock\"" },
        { "Google Cloud Storage", "\"GoogleCloudStorageBlock\"" },
        { "Azure Blob Storage", "\"AzureBlobStorageBlock\"" },
        { "KV Server Storage", "\"KVServerStorageBlock\"" },
        { "File Storage", "\"FileStorageBlock\"" },
    };
    for (size_t i = 0; i < COUNT_OF(titles); i++)
        if (str_is(type, titles[i][0]))
            return str_from(titles[i][1]);
    return STR_NULL;
}

static bool add_references_to_schemas(Tx *tx)
{
    Records schemas = read_all(tx, DB_QUERY(tx, "SELECT s.id, s.fields, t.name FROM block_schema s"
                                                " JOIN block_type t ON t.id = s.block_type_id"), 3);
    for (size_t i = 0; i < schemas.count; i++) {
        const Str *values = schemas.items[i].values;
        const Member members[] = {
            { STR("block_type_name"), as_json(tx->arena, values[2]) },
            { STR("block_schema_references"), STR("{}") },
            { STR("title"), title_of(values[2]) },
        };
        Str fields = with_members(tx->arena, json_read(tx->arena, values[1]), members, COUNT_OF(members));
        if (!write_fields(tx, values[0], fields))
            return false;
    }
    return tx->error->code == ERR_NONE;
}

/* slugify(name) of python-slugify for ASCII; other characters separate words. */
static Str slug_of(Arena *arena, Str name)
{
    Buf out;
    buf_init(&out, arena, name.n);
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i], before = i > 0 ? name.p[i - 1] : ' ', after = i + 1 < name.n ? name.p[i + 1] : ' ';
        if (c >= 'A' && c <= 'Z')
            buf_char(&out, (char)(c - 'A' + 'a'));
        else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            buf_char(&out, c);
        else if (c == ',' && before >= '0' && before <= '9' && after >= '0' && after <= '9')
            continue; /* "1,000" */
        else if (out.n > 0 && out.p[out.n - 1] != '-')
            buf_char(&out, '-');
    }
    if (out.n > 0 && out.p[out.n - 1] == '-')
        out.n--;
    return buf_view(&out);
}

/* The value with each member block_type_name, however deep, as block_type_slug. */
static void write_with_slugs(JsonWriter *w, Arena *arena, const Json *value)
{
    if (value->kind != JSON_OBJECT && value->kind != JSON_ARRAY) {
        json_value(w, value);
        return;
    }
    (value->kind == JSON_OBJECT ? json_object : json_array)(w);
    for (const Json *child = value->child; child; child = child->next) {
        bool is_name = value->kind == JSON_OBJECT && str_is(child->key, "block_type_name");
        if (value->kind == JSON_OBJECT)
            json_key_str(w, is_name ? STR("block_type_slug") : child->key);
        if (is_name && child->kind == JSON_STRING)
            json_str(w, slug_of(arena, child->text));
        else
            write_with_slugs(w, arena, child);
    }
    (value->kind == JSON_OBJECT ? json_object_end : json_array_end)(w);
}

static bool make_slugs(Tx *tx)
{
    Records types = read_all(tx, DB_QUERY(tx, "SELECT id, name FROM block_type"), 2);
    for (size_t i = 0; i < types.count; i++)
        if (DB_EXEC(tx, "UPDATE block_type SET slug = $1 WHERE id = $2",
                    v_text(slug_of(tx->arena, types.items[i].values[1])), v_uuid(types.items[i].values[0])) < 0)
            return false;
    Records schemas = read_all(tx, DB_QUERY(tx, "SELECT id, fields FROM block_schema"), 2);
    for (size_t i = 0; i < schemas.count; i++) {
        const Json *fields = json_read(tx->arena, schemas.items[i].values[1]);
        Buf out;
        JsonWriter w;
        buf_init(&out, tx->arena, 1024);
        json_writer_init(&w, &out, JSON_STORED);
        if (fields)
            write_with_slugs(&w, tx->arena, fields);
        if (fields && !write_fields(tx, schemas.items[i].values[0], buf_view(&out)))
            return false;
    }
    return tx->error->code == ERR_NONE;
}

/* ---- work queues ---- */

/* Each of the default pool's gets a priority of its own, in the order in which they are found. */
static bool number_queues(Tx *tx)
{
    Records queues = read_all(tx, DB_QUERY(tx, "SELECT id FROM work_queue WHERE work_pool_id ="
                                               " (SELECT id FROM work_pool WHERE name = 'default-agent-pool')"), 1);
    for (size_t i = 0; i < queues.count; i++)
        if (DB_EXEC(tx, "UPDATE work_queue SET priority = $1 WHERE id = $2", v_int((int64_t)i + 1),
                    v_uuid(queues.items[i].values[0])) < 0)
            return false;
    return tx->error->code == ERR_NONE;
}

/* ---- variables ---- */

static bool make_variables_json(Tx *tx)
{
    Records variables = read_all(tx, DB_QUERY(tx, "SELECT id, value FROM variable"), 2);
    for (size_t i = 0; i < variables.count; i++)
        if (DB_EXEC(tx, "UPDATE variable SET json_value = $1 WHERE id = $2",
                    v_json(as_json(tx->arena, variables.items[i].values[1])), v_uuid(variables.items[i].values[0])) < 0)
            return false;
    return tx->error->code == ERR_NONE;
}

/* ---- notification policies become automations ---- */

#define AS_TEXT(text) { (text), sizeof(text) - 1 }
#define PLACE(name, text) { name, AS_TEXT(text), AS_TEXT("'" text "'") }

/* PLACEHOLDER_MAP */
static const TemplateValue places[] = {
    PLACE("flow_run_notification_policy_id", "Event ID {{ event.id }}"),
    PLACE("flow_id", "{{ flow.id }}"),
    PLACE("flow_name", "{{ flow.name }}"),
    PLACE("flow_run_url", "{{ flow_run|ui_url }}"),
    PLACE("flow_run_id", "{{ flow_run.id }}"),
    PLACE("flow_run_name", "{{ flow_run.name }}"),
    PLACE("flow_run_parameters", "{{ flow_run.parameters }}"),
    PLACE("flow_run_state_type", "{{ flow_run.state.type }}"),
    PLACE("flow_run_state_name", "{{ flow_run.state.name }}"),
    PLACE("flow_run_state_timestamp", "{{ flow_run.state.timestamp }}"),
    PLACE("flow_run_state_message", "{{ flow_run.state.message }}"),
};

/* DEFAULT_BODY */
static const char default_body[] =
    "\nFlow run {{ flow.name }}/{{ flow_run.name }} observed in state `{{ flow_run.state.name }}` at "
    "{{ flow_run.state.timestamp }}.\n"
    "Flow ID: {{ flow_run.flow_id }}\n"
    "Flow run ID: {{ flow_run.id }}\n"
    "Flow run URL: {{ flow_run|ui_url }}\n"
    "State message: {{ flow_run.state.message }}\n";

/* The reference gives up the whole upgrade at a template that str.format cannot fill; here it stays as it is. */
static Str body_of(Arena *arena, Str template)
{
    Str body;
    TemplateFault fault;
    if (template.n == 0)
        return str_from(default_body);
    return message_template_fill(arena, template, places, COUNT_OF(places), &body, &fault) ? body : template;
}

static bool is_repeated(const Json *list, const Json *item)
{
    for (const Json *other = list->child; other != item; other = other->next)
        if (str_eq(other->text, item->text))
            return true;
    return false;
}

/* ["prefect.flow-run.Failed", …], or of tags */
static void write_prefixed(JsonWriter *w, Arena *arena, const char *prefix, const Json *names, bool each_once)
{
    json_array(w);
    for (const Json *name = names->child; name; name = name->next)
        if (!each_once || !is_repeated(names, name))
            json_str(w, arena_printf(arena, "%s%.*s", prefix, STR_ARG(name->text)));
    json_array_end(w);
}

static Str trigger_of(Arena *arena, const Json *states, const Json *tags)
{
    Buf out;
    JsonWriter w;
    buf_init(&out, arena, 512);
    json_writer_init(&w, &out, JSON_STORED);
    json_object(&w);
    json_key(&w, "id"), json_str(&w, uuid_new(arena));
    json_key(&w, "type"), json_text(&w, "event");
    json_key(&w, "after"), json_raw(&w, STR("[]"));
    json_key(&w, "match"), json_raw(&w, STR("{\"prefect.resource.id\": \"prefect.flow-run.*\"}"));
    json_key(&w, "expect");
    if (states && states->count > 0)
        write_prefixed(&w, arena, "prefect.flow-run.", states, true);
    else
        json_raw(&w, STR("[\"prefect.flow-run.*\"]"));
    json_key(&w, "within"), json_int(&w, 10);
    json_key(&w, "posture"), json_text(&w, "Reactive");
    json_key(&w, "for_each"), json_raw(&w, STR("[\"prefect.resource.id\"]"));
    json_key(&w, "threshold"), json_int(&w, 1);
    json_key(&w, "match_related");
    json_object(&w);
    if (tags && tags->count > 0) {
        json_key(&w, "prefect.resource.id");
        write_prefixed(&w, arena, "prefect.tag.", tags, false);
        json_key(&w, "prefect.resource.role"), json_text(&w, "tag");
    }
    json_object_end(&w);
    json_object_end(&w);
    return buf_view(&out);
}

static Str actions_of(Arena *arena, Str body, Str block_document)
{
    Buf out;
    JsonWriter w;
    buf_init(&out, arena, 512);
    json_writer_init(&w, &out, JSON_STORED);
    json_array(&w);
    json_object(&w);
    json_key(&w, "body"), json_str(&w, body);
    json_key(&w, "type"), json_text(&w, "send-notification");
    json_key(&w, "subject"), json_text(&w, "Prefect flow run notification");
    json_key(&w, "block_document_id"), json_str(&w, block_document);
    json_object_end(&w);
    json_array_end(&w);
    return buf_view(&out);
}

static bool make_automations(Tx *tx)
{
    Records policies = read_all(tx, DB_QUERY(tx, "SELECT state_names, tags, message_template, block_document_id,"
                                                 " CASE WHEN is_active THEN 'yes' ELSE 'no' END"
                                                 " FROM flow_run_notification_policy"), 5);
    for (size_t i = 0; i < policies.count; i++) {
        const Str *values = policies.items[i].values;
        Str trigger = trigger_of(tx->arena, json_read(tx->arena, values[0]), json_read(tx->arena, values[1])),
            actions = actions_of(tx->arena, body_of(tx->arena, values[2]), values[3]);
        if (DB_EXEC(tx, "INSERT INTO automation (name, description, enabled, trigger, actions) VALUES"
                        " ('Flow Run State Change Notification', 'Migrated from a flow run notification policy',"
                        " $1, $2, $3)", v_bool(str_is(values[4], "yes")), v_json(trigger), v_json(actions)) < 0)
            return false;
    }
    return tx->error->code == ERR_NONE;
}

static const UpgradeStep steps[] = {
    { "make_block_types", make_block_types },
    { "add_references_to_schemas", add_references_to_schemas },
    { "make_slugs", make_slugs },
    { "number_queues", number_queues },
    { "make_variables_json", make_variables_json },
    { "make_automations", make_automations },
};

const UpgradeStep *upgrade_step(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(steps); i++)
        if (strcmp(steps[i].name, name) == 0)
            return &steps[i];
    return NULL;
}
