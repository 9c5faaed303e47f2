/* db/sqlite_dialect.c -- the SQL texts of SQLite. */
#include "db/driver.h"

const Dialect sqlite_dialect = {
    .name = "sqlite",
    .engine = ENGINE_SQLITE,
    .is_file = true,
    .writes_wait_for_build = true,
    .identity = "SELECT file FROM pragma_database_list WHERE name = 'main'", /* absolute, links followed */
    .sizes = {
        .each = "SELECT d.name, m.tbl_name, m.type = 'index', d.pgsize FROM dbstat AS d"
                " JOIN sqlite_master AS m ON m.name = d.name WHERE d.aggregate = 1",
        .all = "SELECT page_count * page_size, freelist_count * page_size"
               " FROM pragma_page_count, pragma_page_size, pragma_freelist_count",
        .are_known = "SELECT COUNT(*) FROM pragma_module_list WHERE name = 'dbstat'", /* it may be left out */
    },
    .for_update = "",
    .row_key = "rowid",
    .sort_few = "+",
    /* A sorter with a limit lets a row go at once that comes after those that it holds; the oldest first, each run
     * takes the place of another. */
    .apart = { .if_descending = true, .end = "LIMIT -1", .of_one = true },
    .keeps_left_order = true, /* it is the outer loop, always */
    .keeps_json = true,
    .date_unit = 1000, /* strftime's %f */
    .op = {
        [SQL_ANY] = "%c IN (SELECT %e FROM json_each(%v))",
        [SQL_ONLY] = "%c = (SELECT %e FROM json_each(%v))", /* which leaves an index its order */
        [SQL_NOT_ANY] = "%c NOT IN (SELECT %e FROM json_each(%v))",
        /* the reference's json_has_all_keys: as many distinct matches as there are distinct wanted ones; counted only
         * where the first one occurs, or may be hidden by an escape (char(92) is its backslash). If it is the only one,
         * that will do in a plain list of strings, where nothing else begins and ends with quotation marks but what is
         * between two strings */
        [SQL_ALL] = "((instr(%c, json_quote(json_extract(%v, '$[0]'))) OR instr(%c, char(92))"
                    " OR json_array_length(%v) = 0)"
                    " AND (json_array_length(%v) = 1 AND trim(json_extract(%v, '$[0]'), ', ') <> ''"
                    " AND NOT instr(%c, char(92)) AND NOT instr(%c, '{') AND NOT instr(substr(%c, 2), '[')"
                    " OR (SELECT COUNT(DISTINCT held.value) FROM json_each(%c) AS held"
                    " JOIN json_each(%v) AS wanted ON held.value = wanted.value)"
                    " >= (SELECT COUNT(DISTINCT wanted.value) FROM json_each(%v) AS wanted)))",
        [SQL_LIKE] = "%c LIKE %v", /* in any case, as far as lower() of the reference goes: ASCII */
        [SQL_BEFORE] = "%c <= %v",
        [SQL_AFTER] = "%c >= %v",
        [SQL_GE] = "%c >= %v",
        [SQL_LE] = "%c <= %v",
        [SQL_EQ] = "%c = %v",
        [SQL_IS_NULL] = "%c IS NULL",
        [SQL_IS_NOT_NULL] = "%c IS NOT NULL",
        [SQL_JSON_EMPTY] = "%c = '[]'",
        [SQL_JSON_NOT_EMPTY] = "%c != '[]'",
        [SQL_TAG_OF_TASK] = "%c IN (SELECT tag.value FROM task_run, json_each(tags) AS tag WHERE task_run.id = %v)",
        /* char(37) is the wildcard; an empty list restricts nothing */
        [SQL_LIKE_ANY] = "(json_array_length(%v) = 0 OR EXISTS (SELECT 1 FROM json_each(%v)"
                         " WHERE %c LIKE %e || char(37)))",
    },
    .element = "value",
    /* json_each ends a text at U+0000 */
    .element_with_nul = "replace(replace(value, char(1) || '0', char(0)), char(1) || '1', char(1))",
};
