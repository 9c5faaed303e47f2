/* model/saved_search.c -- searches that the UI saves. */
#include "model/saved_search.h"

#include "base/uuid.h"

typedef struct SearchFilter { /* schemas.core.SavedSearchFilter */
    Str object, property, type, operation, value;
} SearchFilter;

#define FILTERS_SCHEMA "{\"type\": \"array\", \"items\": " SCHEMA_REF("SavedSearchFilter") "}"

static const Field filter_fields[] = { /* order: of the keys in the column */
    FIELD(SearchFilter, object, F_STR, .flags = REQUIRED),
    FIELD(SearchFilter, property, F_STR, .flags = REQUIRED),
    FIELD(SearchFilter, type, F_STR, .flags = REQUIRED),
    FIELD(SearchFilter, operation, F_STR, .flags = REQUIRED),
    FIELD(SearchFilter, value, F_ANY, .flags = REQUIRED | NULLABLE),
};
static const Model filter_model = MODEL(SearchFilter, filter_fields);

static bool decode_filter(Invalid *invalid, const Json *json, JsonWriter *w)
{
    SearchFilter filter;
    if (json_is_null(json))
        return invalid_add(invalid, "type_error.none.not_allowed", NULL, "none is not an allowed value");
    if (!codec_decode(invalid, &filter_model, json, &filter, NULL))
        return false;
    codec_write(w, &filter_model, &filter);
    return true;
}

/* List[SavedSearchFilter], as the column holds it. */
static bool decode_filters(Invalid *invalid, const Json *json, void *member)
{
    if (json->kind != JSON_ARRAY)
        return invalid_add(invalid, "type_error.list", NULL, "value is not a valid list");
    Buf text;
    JsonWriter w;
    int64_t index = 0;
    bool ok = true;
    buf_init(&text, invalid->arena, 256);
    json_writer_init(&w, &text, JSON_STORED);
    json_array(&w);
    for (const Json *item = json->child; item; item = item->next) {
        invalid_enter_index(invalid, index++);
        ok = decode_filter(invalid, item, &w) && ok;
        invalid_leave(invalid);
    }
    json_array_end(&w);
    *(Str *)member = buf_view(&text);
    return ok;
}

static const Field columns[] = { /* order: of the keys in responses */
    FIELD(SavedSearch, id, F_UUID, .flags = KEPT),
    FIELD(SavedSearch, created, F_TIME, .flags = KEPT),
    FIELD(SavedSearch, updated, F_TIME, .flags = KEPT),
    FIELD(SavedSearch, name, F_STR, .flags = KEY),
    FIELD(SavedSearch, filters, F_CUSTOM, .decode = decode_filters, .fallback = "[]", .schema = FILTERS_SCHEMA),
};
static const Field create_fields[] = {
    FIELD(SavedSearch, name, F_STR, .flags = REQUIRED),
    FIELD(SavedSearch, filters, F_CUSTOM, .decode = decode_filters, .fallback = "[]", .schema = FILTERS_SCHEMA),
};
const Model saved_search_model = MODEL(SavedSearch, columns, .table = "saved_search");
const Model saved_search_create_model = MODEL(SavedSearch, create_fields,
                                              .forbid_extra = true, .schema = "SavedSearchCreate");

SavedSearch *saved_search_upsert(Tx *tx, const SavedSearch *wanted, bool *ret_created)
{
    SavedSearch row = *wanted;
    row.id = uuid_new(tx->arena);
    row.created = row.updated = tx->now;
    if (codec_upsert(tx, &saved_search_model, &row) < 0)
        return NULL;
    SavedSearch *search = codec_read(tx, &saved_search_model, "WHERE saved_search.name = $1", v_text(wanted->name));
    *ret_created = search && str_eq(search->id, row.id);
    return search;
}
