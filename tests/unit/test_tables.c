/* tests/unit/test_tables.c -- the list of tables and columns against the schema that the migrations make,
 * and against that list the models of every route, which SQL is made from. */
#include "memory_db.h"

#include "api/route.h"
#include "db/fault_kinds.h"
#include "db/migrate.h"
#include "db/tables.h"
#include "model/run.h"

static bool up(Tx *tx, void *arg)
{
    const Generation *generation = arg;
    return migrate_up_to(tx, *generation);
}

typedef struct Looked {
    Generation generation;
    const Table *table;
} Looked;

static void migrated(Fixture *f, bool (*job)(Tx *, void *), Looked *looked)
{
    Error error = { 0 };
    assert_true(db_run(f->db, true, f->arena, up, &looked->generation, &error));
    bool ok = db_run(f->db, true, f->arena, job, looked, &error);
    assert_string_equal(error.message, "");
    assert_true(ok);
}

static bool check_tables(Tx *tx, void *arg)
{
    const Looked *looked = arg;
    const TableSet *tables = tables_of(looked->generation);
    Rows *rows = DB_QUERY(tx, "SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'alembic_version'");
    size_t n = 0;
    for (; db_next(rows); n++)
        assert_non_null(table_find(tables, row_text(rows, 0).p));
    assert_int_equal(n, tables->count);
    assert_true(n <= TABLES_MAX);
    return true;
}

static const char *declared(const TableColumn *column)
{
    switch (column->kind) {
    case KIND_UUID: return "CHAR(36)";
    case KIND_TEXT: return "VARCHAR";
    case KIND_STATE_TYPE: return "VARCHAR(9)";
    case KIND_STATUS: return strcmp(column->type, "worker_status") == 0 ? "VARCHAR(7)" : "VARCHAR(9)";
    case KIND_REAL: return "FLOAT";
    case KIND_SMALL: return "SMALLINT";
    case KIND_INT: return "INTEGER";
    case KIND_BOOL: return "BOOLEAN";
    case KIND_TIME:
    case KIND_INTERVAL: return "DATETIME";
    case KIND_JSON: return "JSON";
    }
    return NULL;
}

/* Each column with its type and the table it refers to. */
static bool check_columns(Tx *tx, void *arg)
{
    const Table *table = ((const Looked *)arg)->table;
    const Value name = v_text(str_from(table->name));
    Rows *rows = db_query(tx,
                          "SELECT c.name, c.type, k.\"table\" FROM pragma_table_info($1) AS c"
                          " LEFT JOIN pragma_foreign_key_list($1) AS k ON k.\"from\" = c.name ORDER BY c.cid",
                          &name, 1);
    size_t n = 0;
    for (; db_next(rows); n++) {
        const TableColumn *column = table_column(table, row_text(rows, 0).p);
        assert_non_null(column);
        Str type = row_text(rows, 1);
        assert_string_equal(str_is(type, "TEXT") ? "VARCHAR" : type.p, declared(column));
        assert_int_equal(column->kind == KIND_INTERVAL, strcmp(column->name, "total_run_time") == 0);
        assert_true(str_eq(row_text(rows, 2), str_from(column->refers)));
    }
    assert_int_equal(n, table->count);
    return true;
}

static void every_table_is_listed(void **state)
{
    migrated(*state, check_tables, &(Looked){ .generation = GEN_2_7 });
}

static void every_table_of_3_is_listed(void **state)
{
    migrated(*state, check_tables, &(Looked){ .generation = GEN_3 });
}

static void columns_are_listed(void **state, Generation generation)
{
    const TableSet *tables = tables_of(generation);
    for (size_t i = 0; i < tables->count; i++) {
        migrated(*state, check_columns, &(Looked){ generation, &tables->items[i] });
        assert_string_equal(tables->items[i].columns[0].name, "id");
    }
}

static void every_column_is_listed(void **state)
{
    columns_are_listed(state, GEN_2_7);
}

static void every_column_of_3_is_listed(void **state)
{
    columns_are_listed(state, GEN_3);
}

/* Whether rows of the tables can be inserted in order, but for these references. */
static void check_order(Generation generation, const char *const *circles, size_t count)
{
    const TableSet *tables = tables_of(generation);
    size_t found = 0;
    for (size_t i = 0; i < tables->count; i++) {
        const Table *table = &tables->items[i];
        for (size_t j = 0; j < table->count; j++) {
            const TableColumn *column = &table->columns[j];
            if (!column->refers || table_find(tables, column->refers) < table)
                continue;
            char path[100];
            snprintf(path, sizeof path, "%s.%s", table->name, column->name);
            assert_string_equal(path, circles[found]);
            found++;
        }
    }
    assert_int_equal(found, count);
}

static void parents_come_first(void **state)
{
    (void)state;
    static const char *const circles[] = { "work_queue.work_pool_id", "flow_run.parent_task_run_id",
                                           "flow_run.state_id", "task_run.state_id" };
    check_order(GEN_2_7, circles, COUNT_OF(circles));
    check_order(GEN_3, circles, COUNT_OF(circles) - 1); /* a task run's state is no reference there */
}

/* The check of a database has a list of its own, in SQL. */
static void indexes_of_every_table_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < tables_of(GEN_2_7)->count; i++) {
        char quoted[100];
        snprintf(quoted, sizeof quoted, "'%s'", tables_of(GEN_2_7)->items[i].name);
        assert_non_null(strstr(fault_btree_indexes, quoted));
    }
}

static bool fits(FieldKind field, ColumnKind column)
{
    switch (field) {
    case F_STR: return column == KIND_TEXT;
    case F_UUID: return column == KIND_UUID;
    case F_INT:
    case F_OPT_INT: return column == KIND_INT || column == KIND_SMALL;
    case F_BOOL:
    case F_OPT_BOOL: return column == KIND_BOOL;
    case F_TIME: return column == KIND_TIME;
    case F_DURATION: return column == KIND_INTERVAL;
    case F_ENUM: return column == KIND_STATE_TYPE;
    case F_DICT:
    case F_ANY:
    case F_STRS:
    case F_UUIDS:
    case F_MODEL:
    case F_OPT_MODEL:
    case F_CUSTOM: return column == KIND_JSON;
    case F_FLOAT:
    case F_OPT_FLOAT:
    case F_MOMENT: return false; /* in JSON only */
    }
    return false;
}

static void fields_are_columns(const Model *model)
{
    const Table *table = table_find(tables_of(GEN_2_7), model->table);
    assert_non_null(table);
    for (size_t i = 0; i < model->count; i++) {
        const Field *field = &model->fields[i];
        size_t at = 0;
        while (at < table->count && strcmp(table->columns[at].name, field->name) != 0)
            at++;
        bool good = field->flags & VIRTUAL || (at < table->count && fits(field->kind, table->columns[at].kind));
        if (!good)
            print_error("%s.%s is not a column of this kind\n", model->table, field->name);
        assert_true(good);
    }
}

static bool has_field(const Model *model, const char *name)
{
    for (size_t i = 0; i < model->count; i++)
        if (strcmp(model->fields[i].name, name) == 0 && !(model->fields[i].flags & VIRTUAL))
            return true;
    return false;
}

/* Checks the models by which routes read and insert rows, and then those by which they update them. */
static void for_models_of_routes(void (*check_whole)(const Model *), void (*check_part)(const Model *))
{
    for (size_t i = 0; i < route_family_count; i++) {
        for (size_t j = 0; j < route_families[i]->count; j++) {
            const Route *route = &route_families[i]->routes[j];
            if (route->model && route->model->table)
                check_whole(route->model);
            if (check_part && route->body && route->body->table)
                check_part(route->body);
        }
    }
    check_whole(&task_run_state_model); /* which the routes of /task_run_states do not name */
}

static void every_field_is_a_column(void **state)
{
    (void)state;
    for_models_of_routes(fields_are_columns, fields_are_columns);
}

static void columns_are_fields(const Model *model)
{
    static const char left_out[] = "deployment.flow_data"; /* of releases before 2.7 */
    const Table *table = table_find(tables_of(GEN_2_7), model->table);
    for (size_t i = 0; i < table->count; i++) {
        char path[100];
        snprintf(path, sizeof path, "%s.%s", table->name, table->columns[i].name);
        bool good = has_field(model, table->columns[i].name) != (strcmp(path, left_out) == 0);
        if (!good)
            print_error("%s has no field, or is left out though it has one\n", path);
        assert_true(good);
    }
}

static void every_column_is_a_field(void **state)
{
    (void)state;
    for_models_of_routes(columns_are_fields, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_memory, close_memory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_table_is_listed),
        TEST(every_table_of_3_is_listed),
        TEST(every_column_is_listed),
        TEST(every_column_of_3_is_listed),
        cmocka_unit_test(parents_come_first),
        cmocka_unit_test(indexes_of_every_table_are_checked),
        cmocka_unit_test(every_field_is_a_column),
        cmocka_unit_test(every_column_is_a_field),
    };
    return cmocka_run_group_tests_name("tables", tests, NULL, NULL);
}
