/* tests/fuzz/fuzz_filter.c -- filters to SQL: the body of a request for a list (fuzz_api.h) becomes WHERE and ORDER
 * BY, and runs on a database in memory. No text came into the SQL but by way of a value; SQLite takes it; both ways
 * of asking for linked rows, by EXISTS and by IN, find the same. */
#include "fuzz_api.h"

#include "api/list.h"

/* Every value has its place. */
static void check_text(const Query *q)
{
    size_t depth = 0, highest = 0;
    Str sql = buf_view(&q->sql);
    for (size_t i = 0; i < sql.n; i++) {
        must((unsigned char)sql.p[i] < 128);
        depth += sql.p[i] == '(';
        must(sql.p[i] != ')' || depth-- > 0);
        size_t place = sql.p[i] == '$' ? strtoul(sql.p + i + 1, NULL, 10) : 0;
        highest = place > highest ? place : highest;
    }
    must(depth == 0 && highest == q->count);
}

static Query conditions(Req *req, const FilterLink *links, const Dialect *dialect)
{
    const ListSpec *list = req->route->list;
    const Json *body = list->with_default ? list->with_default(req->arena, req->body) : req->body;
    Query q;
    Invalid invalid;
    invalid_init(&invalid, req->arena, req->now);
    query_init(&q, req->arena, dialect);
    must(filter_where(&invalid, links, body, &q));
    check_text(&q);
    return q;
}

/* The links with EXISTS throughout. */
static const FilterLink *with_exists(Arena *arena, const FilterLink *links)
{
    size_t count = 0;
    while (links[count].key)
        count++;
    FilterLink *plain = arena_zalloc(arena, (count + 1) * sizeof *plain);
    for (size_t i = 0; i < count; i++) {
        plain[i] = links[i];
        plain[i].open_few = plain[i].open_one = NULL;
    }
    return plain;
}

/* The ids of all rows that the conditions let through, in order. */
static Str found(Req *req, const Query *where)
{
    Query q = *where;
    Buf ids;
    buf_init(&ids, req->arena, 256);
    buf_init(&q.sql, req->arena, 1024);
    buf_printf(&q.sql, "SELECT id FROM %s WHERE 1 = 1%.*s ORDER BY id", req->route->model->table,
               STR_ARG(buf_view(&where->sql)));
    Rows *rows = query_run(req->tx, &q);
    while (db_next(rows)) {
        buf_str(&ids, row_view(rows, 0));
        buf_char(&ids, ' ');
    }
    must_not_fail(req->tx->error);
    return buf_view(&ids);
}

static void run(Tx *tx, void *arg)
{
    Req *req = arg;
    const FilterLink *links = req->route->list->links;
    Query given = conditions(req, links, tx->sql), plain = conditions(req, with_exists(req->arena, links), tx->sql);
    req->tx = tx;
    must(str_eq(found(req, &given), found(req, &plain)));
    db_done(list_columns(req, "count(*)", req->route->model)); /* with ORDER BY, LIMIT and OFFSET, for a page */
    must_not_fail(tx->error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Req *req = read_request(arena, (Str){ (const char *)data, size });
    const Route *route = req->route;
    if (route->list && route->list->links && route->model && decode_checked(req)) {
        check_text(&req->query);
        (void)conditions(req, route->list->links, postgres_driver.dialect);
        fuzz_run(arena, run, req);
    }
    arena_free(arena);
    return 0;
}
