/* api/request.h -- one request on its way: what handlers get, and how they answer. */
#ifndef ORION_REQUEST_H
#define ORION_REQUEST_H

#include "access/access.h"
#include "api/route.h"
#include "api/spool.h"
#include "base/json.h"
#include "config/settings.h"

enum { USUAL_READS = 512 };

/* What all requests share; immutable while serving. */
typedef struct App {
    const Settings *settings;
    Db *db;
    int64_t default_limit;      /* PREFECT_ORION_API_DEFAULT_LIMIT */
    bool on_loopback;           /* it listens on a loopback address */
    const char *ui_dir;         /* a folder of the dashboard's files; NULL: those inside the program */
    struct Docs *docs;
    Access *access;             /* keys and password; has its own lock */
    struct Offload *offload;     /* for requests that would hold the loop up */
    struct Proxies *proxies;    /* the trusted ones; modified on the loop thread only */
    Str root_path;              /* ORION_ROOT_PATH: "/prefect", or empty */
    struct Readiness *readiness;
    SpoolSpace *spool;          /* for long answers */
    struct Backlog *backlog;    /* of writes */
    struct QueuePolls *queue_polls;
    bool logs_access;           /* ORION_LOG_ACCESS */
    struct RequestStats *request_stats;
    struct Supervisor *supervisor; /* the service manager that wants to know how the server is */
    struct Watch *watch;        /* what the server says about itself (watch/watch.h) */
    _Atomic int64_t *usual_reads; /* USUAL_READS of them, for Job.usual; routes may share one by chance */
} App;

/* Which CORS headers an answer gets: none, those for the page that asked, or the reference's, for all pages. */
typedef enum Cors { CORS_NONE, CORS_THIS, CORS_ANY } Cors;

/* What is requested outside of the tables of routes, for counts of requests. */
typedef enum RequestPlace {
    PLACE_UNKNOWN,              /* there is no such thing, or it was refused before that was known */
    PLACE_DASHBOARD, PLACE_DOCS, PLACE_METRICS, PLACE_STATUS, REQUEST_PLACES
} RequestPlace;

/* Made by req_new in the request's arena, and gone once the reply is sent. Only one thread at a time uses it: the loop,
 * then perhaps the offload thread, then a thread of the database. */
struct Req {
    HttpRequest *http;
    Arena *arena;
    const App *app;
    const Route *route;
    size_t route_number;        /* its place among all rows, if there is one */
    Time now;                   /* of the request's arrival */
    int64_t began;              /* the same on the monotonic clock */
    RequestPlace place;
    Cors cors;
    AccessGrant grant;          /* what its key allows */
    const struct Forwarded *forwarded; /* NULL until first used (api/address.h) */

    /* Decoded (api/decode.c). */
    Str params[4];              /* of the path, in order */
    const Json *body;           /* NULL: none, or not JSON */
    Str body_text;              /* a body that is not JSON, for the echo; else null */
    void *object;               /* route->body decoded; or a struct with the fields of parameters, query and headers */
    FieldSet sent;              /* which of its fields were in the body */
    Query query;                /* the filters of a list or a count: " AND (…)" conditions */
    int64_t limit, offset;
    const Sort *sort;           /* of the body; NULL: its list has one order */
    unsigned api_version;       /* major * 10000 + minor * 100 + patch; 0: none sent */
    Invalid invalid;            /* the errors in any of these */

    /* Running and answering. */
    Tx *tx;                     /* NULL outside the transaction */
    Error error;                /* outside the transaction; inside it is tx->error */
    Job job;
    unsigned backlog_entry;     /* of its address, while it is a write with the database */
    int status;
    Buf reply;                  /* empty: no body, or a long one: */
    Spool spool;
    JsonWriter out;
    void (*resume)(Req *req);   /* for offload.c: what its thread calls, and the request after this one */
    Req *next;
};

/* Each renders the whole answer and returns true, so that a handler may end with it. */
bool reply_model(Req *req, const Model *model, const void *object);
bool reply_null(Req *req);
/* A fresh writer on the answer, for what no model describes. */
JsonWriter *reply_json(Req *req);
void reply_status(Req *req, int status);
/* Records the error in the transaction, or in req->error outside one. Returns false. */
bool req_fail(Req *req, ErrorCode code, const char *message);
bool req_sends(const Req *req, const char *field); /* whether that field was in the body */

#endif
