/* entity/filter.c -- the only generator of WHERE: filter classes are checked as the reference's pydantic models are,
 * and each criterion becomes the dialect's text with its value bound. */
#include "entity/filter.h"

#include "entity/decode.h"

/* One parenthesis of criteria being written, on the stack of the function that fills it: join_next before each
 * criterion, join_end after the last. `any`: there was one, so the parenthesis is open. */
typedef struct Join {
    Query *q;
    const char *word; /* " AND " or " OR " */
    bool any;
} Join;

static void join_next(Join *join)
{
    buf_text(&join->q->sql, join->any ? join->word : "(");
    join->any = true;
}

/* Without criteria: TRUE, everything passes. */
static void join_end(Join *join)
{
    buf_text(&join->q->sql, join->any ? ")" : "TRUE");
}

/* ---- operators ---- */

/* In the order of the fields in the reference's classes, which is the order of their errors. */
const FilterOperator filter_operators[FILTER_OPERATORS] = {
    { OP_ANY,        "any_",        OPERAND_LIST,  SQL_ANY,        SQL_ANY },
    { OP_NOT_ANY,    "not_any_",    OPERAND_LIST,  SQL_NOT_ANY,    SQL_NOT_ANY },
    { OP_ALL,        "all_",        OPERAND_LIST,  SQL_ALL,        SQL_ALL },
    { OP_LIKE,       "like_",       OPERAND_TEXT,  SQL_LIKE,       SQL_LIKE },
    { OP_STARTSWITH, "startswith_", OPERAND_TEXTS, SQL_LIKE_ANY,   SQL_LIKE_ANY },
    { OP_BEFORE,     "before_",     OPERAND_ONE,   SQL_BEFORE,     SQL_BEFORE },
    { OP_AFTER,      "after_",      OPERAND_ONE,   SQL_AFTER,      SQL_AFTER },
    { OP_GE,         "ge_",         OPERAND_ONE,   SQL_GE,         SQL_GE },
    { OP_LE,         "le_",         OPERAND_ONE,   SQL_LE,         SQL_LE },
    { OP_EQ,         "eq_",         OPERAND_ONE,   SQL_EQ,         SQL_EQ },
    { OP_IS_NULL,    "is_null_",    OPERAND_FLAG,  SQL_IS_NULL,    SQL_IS_NOT_NULL },
    { OP_IS_EMPTY,   "is_null_",    OPERAND_FLAG,  SQL_JSON_EMPTY, SQL_JSON_NOT_EMPTY },
    { OP_EXISTS,     "exists_",     OPERAND_FLAG,  SQL_OP_COUNT,   SQL_OP_COUNT },
};

static void write_operator(Join *join, SqlOp op, const char *column, Value value)
{
    join_next(join);
    query_operator(join->q, op, column, value);
}

static bool add_one(Invalid *invalid, const Filter *filter, const FilterOperator *op, const Json *json, Join *join)
{
    const Field field = { .kind = filter->operand, .names = filter->names };
    /* Holds any of the kinds that Filter.operand may be. */
    union { Str s; int64_t i; bool b; } operand = { .s = STR_NULL };
    if (!codec_decode_field(invalid, &field, json, &operand))
        return false;
    write_operator(join, op->sql, filter->sql, codec_value(invalid->arena, &field, &operand));
    return true;
}

/* SQLite compares with patterns of at most 50,000 bytes. */
static bool check_pattern(Invalid *invalid, Str text)
{
    enum { BYTES_MAX = 49000 };
    return text.n <= BYTES_MAX
           || invalid_add(invalid, "value_error", NULL, "The text is too long to search for, at most %d bytes.",
                          BYTES_MAX);
}

static bool check_patterns(Invalid *invalid, const Json *list)
{
    bool ok = true;
    int64_t index = 0;
    for (const Json *item = list->child; item; item = item->next) {
        invalid_enter_index(invalid, index++);
        ok = check_pattern(invalid, item->text) && ok;
        invalid_leave(invalid);
    }
    return ok;
}

/* The name that the text is; NULL: none of them. */
static const char *find_among(const char *const *names, const Json *text)
{
    while (*names && !str_is(text->text, *names))
        names++;
    return text->kind == JSON_STRING ? *names : NULL;
}

/* The only element, one that few rows have, as a constant: an engine that does not know a value takes no index that
 * holds those few rows alone. */
static bool add_constant(const Filter *filter, const Json *list, Join *join)
{
    const char *name = filter->few && list->count == 1 ? find_among(filter->few, list->child) : NULL;
    if (!name)
        return false;
    join_next(join);
    buf_printf(&join->q->sql, "%s = '%s'", filter->sql, name);
    return true;
}

static bool add_list(Invalid *invalid, FieldKind kind, const Filter *filter, const FilterOperator *op, const Json *json,
                     Join *join)
{
    const Field element = { .kind = kind, .names = filter->names };
    Str list;
    if (!decode_list(invalid, &element, json, &list))
        return false;
    /* The reference joins startswith_'s patterns by OR; an empty list leaves no criterion. */
    if (op->operand == OPERAND_TEXTS && json->count == 0)
        return true;
    if (op->operand == OPERAND_TEXTS && !check_patterns(invalid, json))
        return false;
    if (op->sql == SQL_ANY && add_constant(filter, json, join))
        return true;
    const bool only = op->sql == SQL_ANY && json->count == 1 && ((filter->ops & NARROW) || filter->index_order);
    write_operator(join, only ? SQL_ONLY : op->sql, filter->sql, v_list(list));
    return true;
}

static bool add_text(Invalid *invalid, const Filter *filter, const FilterOperator *op, const Json *json, Join *join)
{
    Str text;
    if (!coerce_str(invalid, json, &text) || !check_pattern(invalid, text))
        return false;
    Buf pattern;
    buf_init(&pattern, invalid->arena, text.n + 3);
    buf_char(&pattern, '%');
    buf_str(&pattern, text);
    buf_char(&pattern, '%');
    write_operator(join, op->sql, filter->sql, v_text(buf_view(&pattern)));
    return true;
}

static bool add_flag(Invalid *invalid, const Filter *filter, const FilterOperator *op, const Json *json, Join *join)
{
    bool flag;
    if (!coerce_bool(invalid, json, &flag))
        return false;
    if (op->flag != OP_EXISTS) {
        write_operator(join, flag ? op->sql : op->sql_if_false, filter->sql, v_null());
        return true;
    }
    join_next(join);
    buf_printf(&join->q->sql, "%s%s", flag ? "" : "NOT ", filter->sql);
    return true;
}

static bool add_operator(Invalid *invalid, const Filter *filter, const FilterOperator *op, const Json *json, Join *join)
{
    switch (op->operand) {
    case OPERAND_ONE:
        return add_one(invalid, filter, op, json, join);
    case OPERAND_LIST:
        return add_list(invalid, filter->operand, filter, op, json, join);
    case OPERAND_TEXTS:
        return add_list(invalid, F_STR, filter, op, json, join);
    case OPERAND_TEXT:
        return add_text(invalid, filter, op, json, join);
    case OPERAND_FLAG:
        return add_flag(invalid, filter, op, json, join);
    }
    return false;
}

/* ---- classes ---- */

static const char operator_key[] = "operator";

static bool read_join_word(Invalid *invalid, const Json *object, bool with_operator, Join *join)
{
    static const char *const names[] = { "and_", "or_", NULL };
    static const Field field = { .kind = F_ENUM, .names = names };
    const Json *json = with_operator ? json_get(object, operator_key) : NULL;
    int choice = 0;
    join->word = " AND ";
    if (!json)
        return true;
    invalid_enter(invalid, operator_key);
    bool ok = codec_decode_field(invalid, &field, json, &choice);
    invalid_leave(invalid);
    if (choice == 1)
        join->word = " OR ";
    return ok;
}

static bool known_operator(const void *table, Str key)
{
    const Filter *filter = table;
    for (size_t i = 0; i < FILTER_OPERATORS; i++) {
        if ((filter->ops & filter_operators[i].flag) && str_is(key, filter_operators[i].key))
            return true;
    }
    return (filter->ops & WITH_OPERATOR) && str_is(key, operator_key);
}

/* The criteria of one column: {"any_": […], "is_null_": false}. */
static bool add_column(Invalid *invalid, const Filter *filter, const Json *object, Join *join)
{
    bool ok = true;
    for (size_t i = 0; i < FILTER_OPERATORS; i++) {
        const Json *json = (filter->ops & filter_operators[i].flag) ? json_get(object, filter_operators[i].key) : NULL;
        if (json_is_null(json))
            continue;
        invalid_enter(invalid, filter_operators[i].key);
        ok = add_operator(invalid, filter, &filter_operators[i], json, join) && ok;
        invalid_leave(invalid);
    }
    return invalid_extras(invalid, object, known_operator, filter) && ok;
}

static bool known_filter(const void *table, Str key)
{
    const FilterClass *class = table;
    for (const Filter *filter = class->filters; filter->key; filter++) {
        if (str_is(key, filter->key))
            return true;
    }
    return class->with_operator && str_is(key, operator_key);
}

/* The members of a group put their criteria straight into the group's own parenthesis. */
static bool add_group(Invalid *invalid, const Filter *group, const Json *object, Join *join)
{
    bool ok = true;
    for (const Filter *filter = group->group; filter->key; filter++) {
        const Json *json = json_get(object, filter->key);
        if (json_is_null(json))
            continue;
        invalid_enter(invalid, filter->key);
        const Json *criteria = coerce_object(invalid, json, true);
        ok = criteria && add_column(invalid, filter, criteria, join) && ok;
        invalid_leave(invalid);
    }
    const FilterClass class = { group->group, (group->ops & WITH_OPERATOR) != 0 };
    return invalid_extras(invalid, object, known_filter, &class) && ok;
}

static bool add_filter(Invalid *invalid, const Filter *filter, const Json *json, Query *q)
{
    const Json *object = coerce_object(invalid, json, true);
    if (!object)
        return false;
    Join join = { .q = q };
    bool ok = read_join_word(invalid, object, (filter->ops & WITH_OPERATOR) != 0, &join);
    if (filter->group)
        ok = add_group(invalid, filter, object, &join) && ok;
    else
        ok = add_column(invalid, filter, object, &join) && ok;
    join_end(&join);
    return ok;
}

static bool add_class(Invalid *invalid, const FilterClass *class, const Json *json, Query *q)
{
    const Json *object = coerce_object(invalid, json, true);
    if (!object)
        return false;
    Join join = { .q = q };
    bool ok = read_join_word(invalid, object, class->with_operator, &join);
    for (const Filter *filter = class->filters; filter->key; filter++) {
        const Json *value = json_get(object, filter->key);
        if (json_is_null(value))
            continue;
        join_next(&join);
        invalid_enter(invalid, filter->key);
        ok = add_filter(invalid, filter, value, q) && ok;
        invalid_leave(invalid);
    }
    join_end(&join);
    return invalid_extras(invalid, object, known_filter, class) && ok;
}

/* ---- links ---- */

/* ret_criteria[i]: the text of filter i, null if it was not sent. Errors come in the order of the links, however they
 * are nested; so each is decoded in turn, and the text put together afterwards (placeholders are numbered). False:
 * `invalid` has the errors. */
static bool decode_links(Invalid *invalid, const FilterLink *links, size_t count, const Json *body, Query *q,
                         Str *ret_criteria)
{
    /* q's text is set aside: each filter writes into a buffer of its own, while values go to q as usual. */
    const Buf outer = q->sql;
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        const Json *json = json_get(body, links[i].key);
        ret_criteria[i] = STR_NULL;
        if (json_is_null(json))
            continue;
        buf_init(&q->sql, q->arena, 256);
        invalid_enter(invalid, links[i].key);
        ok = add_class(invalid, links[i].filter, json, q) && ok;
        invalid_leave(invalid);
        ret_criteria[i] = buf_view(&q->sql);
    }
    q->sql = outer;
    return ok;
}

static bool is_either(const Json *json)
{
    const Json *how = json_get(json, operator_key);
    return !json_is_null(how) && str_is(how->text, "or_");
}

/* The any_ of a criterion, if all rows have to meet it. */
static const Json *find_any(const Json *own)
{
    const Json *any = is_either(own) ? NULL : json_get(own, "any_");
    return json_is_null(any) ? NULL : any;
}

/* What a criterion, of which `own` was sent, says of the rows that it lets through. */
typedef bool Narrows(const Filter *filter, const Json *own);

static bool names_one(const Filter *filter, const Json *own)
{
    const Json *any = find_any(own);
    return any && any->count == 1 && (filter->ops & UNIQUE) == UNIQUE;
}

static bool names_one_order(const Filter *filter, const Json *own)
{
    const Json *any = find_any(own);
    return any && any->count == 1 && filter->index_order;
}

static bool names_few(const Filter *filter, const Json *own)
{
    const Json *any = find_any(own);
    if (!any || !filter->few)
        return any && (filter->ops & NARROW);
    const Json *item = any->child;
    while (item && find_among(filter->few, item))
        item = item->next;
    return !item;
}

static bool names_range(const Filter *filter, const Json *own)
{
    return (filter->ops & RANGED) && !(json_is_null(json_get(own, "before_")) && json_is_null(json_get(own, "after_")));
}

static bool is_apart(const Filter *filter, const Json *own)
{
    return (filter->ops & APART) && !json_is_null(own);
}

/* The first criterion of which that is so, if all rows have to meet it; NULL: none. */
static const Filter *find_narrow(const Filter *filters, const Json *json, Narrows *narrows)
{
    if (is_either(json))
        return NULL;
    for (const Filter *filter = filters; filter->key; filter++) {
        const Json *own = json_get(json, filter->key);
        const Filter *inside = filter->group ? find_narrow(filter->group, own, narrows) : NULL;
        if (inside || (!filter->group && narrows(filter, own)))
            return inside ? inside : filter;
    }
    return NULL;
}

/* What the criteria of the entity itself say of the order in which its rows are best read. */
static void note_order(const Filter *filters, const Json *own, Query *q)
{
    const Filter *ordered = find_narrow(filters, own, names_one_order);
    const Filter *range = find_narrow(filters, own, is_apart) ? NULL : find_narrow(filters, own, names_range);
    if (ordered)
        q->index_order = ordered->index_order;
    if (range)
        q->range_of = range->sql;
}

/* For EXISTS, engines walk through every row of the entity: right if many rows match, wrong if few do. NULL: the entity
 * itself, which needs none. */
static const char *opening(const FilterLink *link, const Json *own, Query *q)
{
    const Filter *filters = link->filter->filters;
    const bool one = find_narrow(filters, own, names_one), few = find_narrow(filters, own, names_few);
    const bool lazy = link->by_itself && q->dialect->reads_lazily && find_narrow(filters, own, names_range);
    q->names_few = q->names_few || (few && (link->open_few || !link->open));
    if (!link->open)
        note_order(filters, own, q);
    else if (one && link->index_order)
        q->index_order = link->index_order;
    if (one && link->open_one)
        return link->open_one;
    return (few || lazy) && link->open_few ? link->open_few : link->open;
}

static void close_with(Buf *sql, const char *open, Str criteria)
{
    buf_printf(sql, "%s%.*s%s", open, STR_ARG(criteria), *open ? ")" : "");
}

/* A link of the entity itself, with the links nested in its EXISTS. Written if any of them was sent. Where all rows are
 * read, what a row has one of is joined instead, so that the engine may begin with either. */
static void add_link(const FilterLink *outer, const FilterLink *links, size_t count, const Json *body,
                     const Str *criteria, Query *q)
{
    const bool joined = q->reads_all && outer->join;
    Buf inside, joins;
    buf_init(&inside, q->arena, 256);
    buf_init(&joins, q->arena, 0);
    buf_str(&inside, criteria[outer - links]);
    if (joined)
        buf_printf(&joins, " JOIN %s", outer->join);
    for (size_t i = 0; i < count; i++) {
        if (!criteria[i].p || !links[i].via || strcmp(links[i].via, outer->key) != 0)
            continue;
        const bool both = joined && links[i].join;
        if (both)
            buf_printf(&joins, " JOIN %s", links[i].join);
        buf_text(&inside, inside.n ? " AND " : "");
        close_with(&inside, both ? "" : links[i].open, criteria[i]);
    }
    if (inside.n == 0)
        return;
    buf_text(&q->sql, " AND ");
    const char *open = opening(outer, json_get(body, outer->key), q);
    if (outer->by_itself && open == outer->open_few)
        buf_printf(&inside, " %s", q->dialect->apart.end);
    close_with(&q->sql, joined || !open ? "" : open, buf_view(&inside));
    buf_str(&q->joins, buf_view(&joins));
}

bool filter_where(Invalid *invalid, const FilterLink *links, const Json *body, Query *q)
{
    size_t count = 0;
    while (links[count].key)
        count++;
    Str *criteria = arena_alloc(q->arena, (count + 1) * sizeof *criteria);
    if (!decode_links(invalid, links, count, body, q, criteria))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!links[i].via)
            add_link(&links[i], links, count, body, criteria, q);
    }
    return true;
}

static const Sort *find_key(const Sort *sorts, Str key)
{
    for (; sorts->key; sorts++) {
        if (str_is(key, sorts->key))
            return sorts;
    }
    return NULL;
}

static const Sort *refuse_sort(Invalid *invalid, const Sort *sorts)
{
    size_t count = 0;
    while (sorts[count].key)
        count++;
    const char **names = arena_zalloc(invalid->arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = sorts[i].key;
    invalid_enter(invalid, "sort");
    (void)!invalid_enum(invalid, names);
    invalid_leave(invalid);
    return NULL;
}

const Sort *sort_find(Invalid *invalid, const Sort *sorts, const char *fallback_key, const Json *body)
{
    const Json *json = json_get(body, "sort");
    const Sort *sort = sorts;
    if (!json_is_null(json))
        sort = json->kind == JSON_STRING ? find_key(sorts, json->text) : NULL;
    else if (fallback_key)
        sort = find_key(sorts, str_from(fallback_key));
    return sort ? sort : refuse_sort(invalid, sorts);
}
