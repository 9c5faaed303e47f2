/* api/routes/admin.c -- /admin: version, settings, and the database as a whole; its table of routes is at the end. */
#include "api/routes/families.h"

#include "api/openapi_shapes.h"
#include "db/indexes.h"
#include "db/migrate.h"

typedef struct Confirmation {
    bool confirm;
} Confirmation;

static const Field confirmation_fields[] = {
    FIELD(Confirmation, confirm, F_BOOL, .fallback = "false"),
};
static const Model confirmation_model = MODEL(Confirmation, confirmation_fields);

static bool read_settings(Req *req)
{
    Str settings = settings_json(req->app->settings, req->arena);
    buf_init(&req->reply, req->arena, settings.n);
    buf_str(&req->reply, settings);
    return true;
}

static bool read_version(Req *req)
{
    json_text(reply_json(req), "2.7.12");
    return true;
}

/* Runs `change` if the body confirms it; else 400 without a body, as the reference answers. */
static bool confirmed(Req *req, bool (*change)(Tx *))
{
    const Confirmation *confirmation = req->object;
    if (confirmation->confirm)
        return change(req->tx);
    reply_status(req, 400);
    return true;
}

static bool clear_database(Req *req)
{
    return confirmed(req, migrate_clear);
}

static bool drop_database(Req *req)
{
    return confirmed(req, migrate_drop);
}

static bool make_tables(Tx *tx)
{
    return migrate_up(tx) && indexes_make_at_once(tx);
}

static bool create_database(Req *req)
{
    return confirmed(req, make_tables);
}

static const Route admin_routes[] = {
    { HTTP_GET,  "/admin/settings",        read_settings,   TX_NONE,  200,
      .doc = { "read_settings", .reply = &settings_shape } },
    { HTTP_GET,  "/admin/version",         read_version,    TX_NONE,  200,
      .doc = { "read_version", .reply_schema = "{\"type\": \"string\"}" } },
    { HTTP_POST, "/admin/database/clear",  clear_database,  TX_WRITE, 204, .parameters = &confirmation_model,
      .doc = { "clear_database" } },
    { HTTP_POST, "/admin/database/drop",   drop_database,   TX_WRITE, 204, .parameters = &confirmation_model,
      .doc = { "drop_database" } },
    { HTTP_POST, "/admin/database/create", create_database, TX_WRITE, 204, .parameters = &confirmation_model,
      .doc = { "create_database" } },
};
const RouteFamily admin_family = FAMILY(admin_routes);
