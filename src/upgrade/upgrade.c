/* upgrade/upgrade.c -- runs the chain of migrations, from the revision that a database is at to a later one. */
#include "upgrade/upgrade.h"

#include "base/buf.h"
#include "db/chain_run.h"
#include "db/driver.h"
#include "db/indexes.h"
#include "db/migrate.h"

/* What there is to do: perhaps the tables of the head, then the revisions [from, to). */
typedef struct Way {
    SchemaPlace place;
    bool from_nothing, heads_tables;
    size_t from, to;
} Way;

static bool find_target(Tx *tx, const SchemaPlace *place, const char *to, size_t *ret)
{
    size_t count = place->chain->count;
    if (!to || strcmp(to, "head") == 0) {
        *ret = place->head;
    } else if (strcmp(to, UPGRADE_3) == 0) {
        *ret = count - 1;
    } else {
        for (*ret = 0; *ret < count && strcmp(place->chain->revisions[*ret].id, to) != 0;)
            ++*ret;
        if (*ret == count)
            return fail(tx->error, ERR_INVALID, "Can't locate revision identified by '%s'", to);
    }
    return true;
}

/* As Alembic does: what is at a later revision has been upgraded to an earlier one already. But nobody who asks for the
 * tables that the server needs is told that they are there. */
static bool find_way(Tx *tx, const Upgrade *upgrade, Way *way)
{
    size_t target;
    *way = (Way){ .from = 0 };
    if (!migrate_place(tx, &way->place) || !find_target(tx, &way->place, upgrade->to, &target))
        return false;
    if ((way->place.state == SCHEMA_NEWER || way->place.state == SCHEMA_HEAD_3) && !upgrade->to)
        return migrate_check(tx);
    way->from_nothing = way->place.state == SCHEMA_EMPTY;
    way->heads_tables = way->from_nothing && target >= way->place.head;
    way->from = way->heads_tables ? way->place.head + 1 : way->from_nothing ? 0 : way->place.at + 1;
    way->to = target + 1 > way->from ? target + 1 : way->from;
    return true;
}

static const char *end_of(const Way *way)
{
    return way->place.chain->revisions[way->to - 1].id;
}

static bool is_nothing(const Way *way)
{
    return !way->heads_tables && way->from == way->to;
}

static bool run_step(Tx *tx, const char *name)
{
    return upgrade_step(name)->run(tx);
}

static bool show(Tx *tx, const Upgrade *upgrade, const Way *way, size_t next)
{
    const Progress progress = {
        .doing = "Upgrading", .unit = "revisions", .done = (int64_t)(next - way->from),
        .of = (int64_t)(way->to - way->from), .part = next < way->to ? way->place.chain->revisions[next].title : NULL,
    };
    return !upgrade->onlooker || onlooker_goes_on(upgrade->onlooker, &progress, tx->error);
}

/* Those of our own may need columns that go. The server makes them again. */
static bool drop_own_indexes(Tx *tx)
{
    IndexList list = { NULL };
    if (!indexes_find(tx, false, &list))
        return false;
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i].state != INDEX_MISSING
            && !db_script(tx, arena_printf(tx->arena, "DROP INDEX %s", list.items[i].index.name).p))
            return false;
    return true;
}

bool upgrade_run(Tx *tx, const Upgrade *upgrade)
{
    Way way;
    db_lock(tx, LOCK_SCHEMA);
    if (!find_way(tx, upgrade, &way))
        return false;
    if (is_nothing(&way))
        return true;
    if ((way.heads_tables && !migrate_make(tx)) || (!way.from_nothing && !drop_own_indexes(tx)))
        return false;
    for (size_t i = way.from; i < way.to; i++)
        if (!show(tx, upgrade, &way, i) || !chain_run(tx, &way.place.chain->revisions[i], run_step))
            return false;
    return show(tx, upgrade, &way, way.to) && migrate_mark(tx, end_of(&way));
}

static void plan_part(Buf *out, const ChainPart *part)
{
    static const char *const before[] = { "", "", "-- its text becomes:\n", "-- made anew, with its rows:\n",
                                          "-- and what refers to them:\n", "-- step: " };
    buf_printf(out, "%s%s%s", before[part->kind], part->text, part->kind == CHAIN_STEP ? "\n" : "");
}

bool upgrade_plan(Tx *tx, const Upgrade *upgrade, Str *ret)
{
    Way way;
    Buf out;
    buf_init(&out, tx->arena, 4096);
    if (!find_way(tx, upgrade, &way))
        return false;
    if (way.heads_tables)
        buf_text(&out, way.place.schema), buf_char(&out, '\n');
    for (size_t i = way.from; i < way.to; i++) {
        const Revision *revision = &way.place.chain->revisions[i];
        buf_printf(&out, "\n-- %s: %s\n", revision->id, revision->title);
        for (const ChainPart *part = revision->parts; part->kind != CHAIN_END; part++)
            plan_part(&out, part);
    }
    if (!is_nothing(&way))
        buf_str(&out, migrate_mark_plan(tx->arena, end_of(&way)));
    *ret = buf_view(&out);
    return true;
}

/* Notification policies that are dropped on the way; on both engines by the revision with this step. */
static bool drops_policies(const Way *way)
{
    for (size_t i = way->from; i < way->to; i++)
        for (const ChainPart *part = way->place.chain->revisions[i].parts; part->kind != CHAIN_END; part++)
            if (part->kind == CHAIN_STEP && strcmp(part->text, "make_automations") == 0)
                return true;
    return false;
}

static Str list_policies(Tx *tx)
{
    Buf out;
    buf_init(&out, tx->arena, 256);
    Rows *rows = DB_QUERY(tx, "SELECT p.state_names, p.tags, p.block_document_id, d.name"
                              " FROM flow_run_notification_policy p"
                              " LEFT JOIN block_document d ON d.id = p.block_document_id");
    while (db_next(rows)) {
        Str states = row_text(rows, 0), tags = row_text(rows, 1), id = row_text(rows, 2), name = row_text(rows, 3);
        buf_printf(&out, "  states %.*s, tags %.*s, to %.*s\n", STR_ARG(states), STR_ARG(tags),
                   STR_ARG(name.p ? name : id));
    }
    return out.n > 0 ? buf_view(&out) : STR_NULL;
}

bool upgrade_look(Tx *tx, const Upgrade *upgrade, UpgradeLook *ret)
{
    Way way;
    if (!find_way(tx, upgrade, &way))
        return false;
    *ret = (UpgradeLook){ .revision = way.place.revision, .revisions = way.to - way.from,
                          .is_empty = way.from_nothing };
    if (!way.from_nothing && drops_policies(&way) && migrate_has_table(tx, "flow_run_notification_policy"))
        ret->policies = list_policies(tx);
    return tx->error->code == ERR_NONE;
}
