/* api/request.h -- one request on its way: what handlers get, and how they answer. */
#ifndef ORION_REQUEST_H
#define ORION_REQUEST_H

#include "base/json.h"
#include "config/settings.h"
#include "db/db.h"
#include "entity/codec.h"
#include "entity/filter.h"
#include "http/http.h"

/* What all requests share; immutable while serving. */
typedef struct App {
    const Settings *settings;
    Db *db;
    int64_t default_limit;      /* PREFECT_ORION_API_DEFAULT_LIMIT */
    bool on_loopback;           /* it listens on a loopback address */
    const char *ui_dir;         /* a folder of the dashboard's files; NULL: those inside the program */
    struct Docs *docs;
    struct Worker *worker;      /* for requests that would hold the loop up */
} App;

typedef struct Req Req;
typedef struct Route Route;
typedef struct ListSpec ListSpec;
typedef bool (*Handler)(Req *req);

/* Which CORS headers an answer gets: none, those for the page that asked, or the reference's, for all pages. */
typedef enum Cors { CORS_NONE, CORS_THIS, CORS_ANY } Cors;
typedef enum TxKind { TX_NONE, TX_READ, TX_WRITE } TxKind;

/* A row of a family's table. Rows are tried in order, as the reference's router does.
 * In a path, {id} is a UUID (422 otherwise), {name:str} any text without '/', {id:uuid} matches UUIDs only (404 otherwise). */
struct Route {
    HttpMethod method;
    const char *path;           /* below /api */
    Handler handle;             /* inside the transaction of `tx`; renders the reply */
    TxKind tx;
    int status;                 /* of success; a handler may set another */
    const Model *body;          /* one model is the whole body: decoded into req->object before the transaction */
    const Model *parameters;    /* a body of several parameters: each decoded by its field into req->object */
    const Model *query;         /* parameters of the query string, into req->object likewise */
    Handler prepare;            /* after those: lists, and what no table says; checks and decodes before the transaction */
    const ListSpec *spec;       /* what `prepare` is told */
    bool reads_body;            /* with prepare, where nothing else tells it: the body is JSON */
    bool any_version;           /* no X-PREFECT-API-VERSION check (/health) */
    DbLock lock;                /* taken before `handle`, for what is rarely written and not by one row */
    Handler gate;               /* asked before anything is decoded: whether the route is served at all; false: req->error */
    const Model *headers;       /* parameters of the head, such as "x-prefect-ui", into req->object likewise */
    bool slow;                  /* checking the request may wait for the disk: not on the loop */

    /* The rest is for the description of the API alone (api/openapi.c). */
    const char *name;           /* of the operation: "read_flow" */
    const Model *reply;         /* what is answered */
    bool reply_list;            /* a list of those */
    const char *reply_schema;   /* the JSON Schema of an answer that no model says */
    const Model *body_items;    /* the body is a list of these, which `prepare` decodes */
    const char *about;          /* a sentence, where the name does not say enough */
};

typedef struct RouteFamily {
    const Route *routes;
    size_t count;
    const char *tag;            /* its heading in the description: "Flow Runs" */
} RouteFamily;

struct Req {
    HttpRequest *http;
    Arena *arena;
    const App *app;
    const Route *route;
    Str params[4];              /* of the path, in order */
    const Json *body;           /* NULL: none, or not JSON */
    Str body_text;              /* a body that is not JSON, for the echo; else null */
    void *object;               /* route->body decoded; or one struct with the fields of parameters, query and headers */
    FieldSet sent;              /* which of its fields were in the body */
    Query query;                /* of a list or a count, made by prepare_list / prepare_count */
    int64_t limit, offset;
    const char *order_by;
    Invalid invalid;
    unsigned api_version;       /* major * 10000 + minor * 100 + patch; 0: none sent */
    Time now;                   /* of the request's arrival */
    Cors cors;
    Tx *tx;
    Error error;
    Job job;
    int status;
    Buf reply;                  /* empty: no body */
    JsonWriter out;
    void (*resume)(Req *req);   /* on the worker's thread, and the next one there */
    Req *next;
};

/* ---- decoding, before the transaction; what is wrong goes to req->invalid ---- */

/* A member of the body of several parameters; NULL for absent or null. Where the body is no object it adds "field required", as
 * FastAPI does for every parameter, and sets *ret_missing. */
const Json *body_parameter(Req *req, const char *name, bool required, bool *ret_missing);
/* Decodes one by a field's row (loc body, name); absent: the fallback, or "field required". */
bool body_field(Req *req, const Field *field, void *base);

/* All of the route's `.parameters` into req->object; every error is told. Lists with `offset_last` have them before the offset. */
bool body_parameters(Req *req);
/* A parameter of the query string or of the head by a field's row (loc query or header, name); absent: the fallback. */
bool query_field(Req *req, const Field *field, void *base);
bool header_field(Req *req, const Field *field, void *base);

/* ---- answering ---- */

void reply_status(Req *req, int status);
void reply_model(Req *req, const Model *model, const void *object);
JsonWriter *reply_json(Req *req); /* a fresh writer on the reply */
bool req_fail(Req *req, ErrorCode code, const char *message);

/* ---- lists: POST …/filter and …/count ---- */

struct ListSpec {
    const Sort *sorts;          /* NULL: no sort parameter */
    const char *sort_default;
    bool sort_last;             /* where the reference's signature has `sort` after the filters: the order of errors */
    bool offset_last;           /* where it has `offset` after the filters and other parameters */
    const FilterLink *links;
    size_t link_count;
    const char *table;          /* of what is listed */
    int64_t limit_most;         /* limit is checked as any parameter, and this where absent; 0: by PREFECT_ORION_API_DEFAULT_LIMIT, before all else */
    bool paged;                 /* limit and offset are taken though `prepare` is the family's own: for the description */
};

/* For routes that take a limit and are no list: the .decode of its field (F_OPT_INT) among .parameters. It ends in req->limit. */
bool limit_decode(Invalid *invalid, const Json *json, void *member);
bool limit_check(Req *req, OptInt limit); /* false: req->error */

/* Both leave " AND (…)" conditions in req->query; prepare_list also limit, offset and order_by. */
bool prepare_list(Req *req);
bool prepare_count(Req *req);
/* Runs select + " WHERE 1 = 1" + conditions + ORDER BY … LIMIT … OFFSET …; rows for the caller to write. */
Rows *list_rows(Req *req, Str select);
/* The whole of a list: every column of the model from its table. */
bool reply_list(Req *req, const Model *model, const char *table);
bool reply_count(Req *req, const char *table);
/* True: what was just read of this row failed by a value in it (ERR_SPOILED). The log tells, and the list goes on without it. */
bool list_leaves_out(Req *req, Str id);

/* ---- dispatch (api/dispatch.c) ---- */
Req *req_new(HttpRequest *http, const App *app); /* in the request's arena */
void api_handle(Req *req);                       /* a path below /api: answers, now or when its transaction has ended */
extern const RouteFamily *const route_families[];     /* api/routes/routes.c */
extern const size_t route_family_count;

#endif
