/* entity/codec.h -- a table of fields carries values between JSON bodies, C structs and rows.
 * Validation is pydantic 1's: what it coerces, what it refuses, in which words and order. */
#ifndef ORION_CODEC_H
#define ORION_CODEC_H

#include "base/json.h"
#include "db/db.h"
#include "entity/invalid.h"

/* ---- fields ---- */

typedef struct OptInt { int64_t v; bool has; } OptInt;
typedef struct OptBool { bool v; bool has; } OptBool;
typedef struct OptReal { double v; bool has; } OptReal;

typedef enum FieldKind {     /* C type of the member */
    F_STR,        /* Str */
    F_UUID,       /* Str, canonical */
    F_INT,        /* int64_t */
    F_OPT_INT,    /* OptInt */
    F_FLOAT,      /* double */
    F_OPT_FLOAT,  /* OptReal */
    F_BOOL,       /* bool */
    F_OPT_BOOL,   /* OptBool */
    F_TIME,       /* Time; any offset is dropped (columns hold UTC) */
    F_MOMENT,     /* Moment; the offset is kept (JSON columns) */
    F_DURATION,   /* int64_t microseconds; JSON float seconds */
    F_ENUM,       /* int; index into .names; -1 is null */
    F_DICT,       /* Str: JSON object text, JSON_STORED */
    F_ANY,        /* Str: any JSON text, JSON_STORED; null Str is None */
    F_STRS,       /* Str: JSON array of strings, JSON_STORED */
    F_UUIDS,      /* Str: JSON array of UUIDs, JSON_STORED */
    F_MODEL,      /* a struct inline at the offset, described by .model; in a row: JSON text */
    F_OPT_MODEL,  /* pointer to such a struct in the arena, NULL is null */
    F_CUSTOM      /* Str: JSON text as made by .decode; for the unions (task_inputs, retry_delay) */
} FieldKind;

enum FieldFlag {
    REQUIRED = 1,   /* "field required" if absent */
    NULLABLE = 2,   /* null is accepted (Optional in the reference); without it "none is not an allowed value" */
    IGNORED = 4,    /* decoded and checked, then dropped (StateCreate's id and timestamp) */
    VIRTUAL = 8,    /* in responses only: not a column of the table (estimated_run_time, work_pool_name, state) */
    HIDDEN = 16,    /* a column that responses leave out (state_timestamp, work_queue_id) */
    WRITE_ONLY = 32, /* a column that SELECT leaves out (result_artifact_id) */
    KEY = 64,       /* part of the unique key by which codec_insert_new and codec_upsert find an existing row */
    KEPT = 128,     /* codec_upsert does not change it in an existing row */
    KEPT_FOR_NULL = 256, /* likewise, but only if the new value is null */
    SAVED = 512     /* of a run: rules may change it, run_save writes it */
};

typedef struct Model Model;

typedef struct Field {
    const char *name;
    FieldKind kind;
    unsigned flags;
    size_t offset;
    const Model *model;        /* F_MODEL, F_OPT_MODEL */
    const char *const *names;  /* F_ENUM: NULL-terminated */
    /* After the kind's own coercion: an extra check; adds to `invalid` and returns false to refuse. May be NULL. */
    bool (*check)(Invalid *invalid, void *member);
    /* The whole decoding, in place of the kind's own; F_CUSTOM must have it. */
    bool (*decode)(Invalid *invalid, const Json *json, void *member);
    const char *fallback;      /* JSON text for a field that was not sent; NULL: zero / null of its kind */
    const char *sql;           /* SELECT expression, if not table.name; of a VIRTUAL F_OPT_MODEL: the joined table */
    const char *schema;        /* JSON Schema for the API's description, if the kind does not imply it (F_CUSTOM) */
} Field;

struct Model {
    const char *name;
    const char *table;     /* the table whose columns the fields are; NULL: a body, or a value inside JSON */
    const char *from;      /* the FROM clause of a SELECT: the table with its joins; NULL: the table alone */
    const Field *fields;
    size_t count;
    size_t size;           /* of the struct */
    bool forbid_extra;     /* "extra fields not permitted" (bodies, filters); else ignored (PrefectBaseModel) */
    void (*complete)(Tx *tx, void *object); /* computes what no column holds, after a row was read; may be NULL */
    bool (*finish)(Invalid *invalid, void *object); /* root validator, after errors too (then on fallbacks); or NULL */
    const char *schema;    /* its name in the API's description, if not the struct's: "FlowCreate" */
};

#define FIELD(Type, member, kind_, ...) \
    { .name = #member, .kind = (kind_), .offset = offsetof(Type, member), ##__VA_ARGS__ }
#define MODEL(Type, fields_, ...) \
    { .name = #Type, .fields = (fields_), .count = FIELD_COUNT(fields_), .size = sizeof(Type), ##__VA_ARGS__ }
/* The number of rows: a FieldSet has a bit for each. */
#define FIELD_COUNT(fields) \
    (COUNT_OF(fields) + 0 * sizeof(struct { _Static_assert(COUNT_OF(fields) <= 63, "63 fields at most"); char none; }))

#define SCHEMA_REF(name) "{\"$ref\": \"#/components/schemas/" name "\"}" /* for Field.schema */

typedef uint64_t FieldSet; /* bit i: field i of the table was in the body (`exclude_unset`) */

/* JSON -> struct. `object` is cleared; what was not sent gets its fallback. False: `invalid` has the errors. `ret_sent`
 * may be NULL. If `json` cannot be an object: "value is not a valid dict" / type_error.dict. */
bool codec_decode(Invalid *invalid, const Model *model, const Json *json, void *object, FieldSet *ret_sent) MUST_CHECK;
/* A single value, decoded by a field's row: for bodies of several parameters and query strings. */
bool codec_decode_field(Invalid *invalid, const Field *field, const Json *json, void *member) MUST_CHECK;
/* struct -> JSON object, all fields but HIDDEN ones, in table order. */
void codec_write(JsonWriter *w, const Model *model, const void *object);
Str codec_stored(Arena *arena, const Model *model, const void *object); /* the same, as text for a JSON column */
/* JSON text of a column -> struct; what is missing or invalid gets its fallback (the reference would fail to read it).
 * The model's finish runs, as the reference's root validators do on reading. False: not JSON. */
bool codec_load(Arena *arena, const Model *model, Str json_text, void *object);

/* ---- rows of the model's table ---- */

/* "SELECT columns FROM table", for " WHERE …" to follow; its first part; what comes after FROM. A column is a field's
 * .sql or table.name; WRITE_ONLY fields and VIRTUAL ones without .sql are left out. */
void codec_select(Buf *sql, const Model *model);
void codec_columns(Buf *sql, const Model *model);
const char *codec_from(const Model *model);
void codec_read_row(Tx *tx, Rows *rows, const Model *model, void *object); /* invalid values spoil it: row_is_sound */
/* The next readable row; the log names those that are skipped. False at the end, and on failure (tx->error). */
bool codec_next(Tx *tx, Rows *rows, const Model *model, void *object);
/* The rows of the SELECT followed by `rest`, a literal such as "WHERE flow.name = $1". */
#define codec_query(tx, model, rest, ...) codec_query_values((tx), (model), "" rest, DB_VALUES(__VA_ARGS__))
Rows *codec_query_values(Tx *tx, const Model *model, const char *rest, const Value *values, size_t count);
/* The first of them as a new struct in the job's arena. NULL: no such row, or tx->error. */
void *codec_first(Tx *tx, Rows *rows, const Model *model);
#define codec_read(tx, model, rest, ...) codec_first((tx), codec_query((tx), (model), rest, ##__VA_ARGS__), (model))
Value codec_value(Arena *arena, const Field *field, const void *object); /* to bind */

void codec_add_conflict(Buf *sql, const Model *model); /* " ON CONFLICT (the KEY columns) DO " */
/* INSERT of all columns. Rows inserted, -1 on failure. */
int64_t codec_insert(Tx *tx, const Model *model, const void *object);
/* The same, unless a row with these KEY values exists: then 0. */
int64_t codec_insert_new(Tx *tx, const Model *model, const void *object);
enum { INSERT_ATTEMPTS = 3 }; /* in case that row is deleted by another transaction before it is read */
/* The same, but an existing row is changed: all columns but KEY, KEPT and (for a null) KEPT_FOR_NULL ones. */
int64_t codec_upsert(Tx *tx, const Model *model, const void *object);
/* UPDATE of the fields in `set`, and of `updated`, in the row of that id. Rows changed, -1 on failure. */
int64_t codec_update(Tx *tx, const Model *model, Str id, const void *object, FieldSet set);
int64_t codec_delete(Tx *tx, const Model *model, Str id); /* rows deleted, -1 on failure */
/* Where Dialect.inserts_in_with: the row and one that belongs to it in one statement, which reads back *object. */
int64_t codec_insert_both(Tx *tx, const Model *model, void *object, bool is_new, const Model *with, const void *other);
/* For callers that do not need the count (DB_SEND). */
bool codec_send_insert(Tx *tx, const Model *model, const void *object) MUST_CHECK;
bool codec_send_update(Tx *tx, const Model *model, Str id, const void *object, FieldSet set) MUST_CHECK;

/* For UPDATE, with the transaction's time as $1. Clocks get set back, and the later of two writers may have begun
 * first: a row's `updated` never runs backwards, nor before its `created`. */
#define SET_UPDATED "updated = CASE WHEN updated > $1 THEN updated ELSE $1 END"
/* UPDATE of one column (table and column are literals), and of `updated`. As codec_update and codec_send_update. */
#define row_set(tx, table, id, column, v) DB_EXEC(tx, ROW_SET_SQL(table, column), v_time((tx)->now), v, v_uuid(id))
#define row_send_set(tx, table, id, col, v) DB_SEND(tx, ROW_SET_SQL(table, col), v_time((tx)->now), v, v_uuid(id))
#define ROW_SET_SQL(table, column) "UPDATE " table " SET " column " = $2, " SET_UPDATED " WHERE id = $3"

#endif
