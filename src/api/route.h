/* api/route.h -- the rows of the tables of routes: what runs, what is checked before it, and what the API's description
 * says. */
#ifndef ORION_ROUTE_H
#define ORION_ROUTE_H

#include "db/db.h"
#include "entity/codec.h"
#include "entity/filter.h"
#include "http/websocket.h"

typedef struct Req Req;
typedef struct Socket Socket;
typedef bool (*Handler)(Req *req) MUST_CHECK; /* false: req->invalid or an error says what is wrong (req_fail) */
typedef enum TxKind {
    TX_NONE, TX_READ, TX_WRITE,
    TX_LATER /* no transaction: the handler has another thread answer the request */
} TxKind;

/* What a body of several parameters is made of. */
typedef enum BodyPart {
    BODY_END,
    BODY_LIMIT,      /* the reference's dependency: checked before the path, alone if out of range. Always first */
    BODY_OFFSET,
    BODY_SORT,
    BODY_FILTERS,
    BODY_PARAMETERS, /* the row's `parameters` */
} BodyPart;

/* What a list shows: how it is narrowed and ordered. */
typedef struct ListSpec {
    const FilterLink *links;
    const Sort *sorts;        /* of BODY_SORT */
    const char *sort_default;
    const char *order_by;     /* SQL, if there is no BODY_SORT */
    /* Adds to the body what its filters imply without saying so; NULL: nothing. */
    const Json *(*with_default)(Arena *arena, const Json *body);
    /* Adds to an object as it was read what its row does not hold yet; NULL: nothing. */
    void (*add)(const Req *req, void *object);
} ListSpec;

/* For the description of the API alone (api/openapi.c). */
typedef struct RouteDoc {
    const char *name;         /* of the operation: "read_flow" */
    const Model *reply;       /* what is answered; NULL: the row's `model` */
    bool reply_list;          /* a list of those, as from every row with a BODY_OFFSET */
    const char *reply_schema; /* the JSON Schema of an answer that no model describes */
    const Model *body_items;  /* the body is a list of these, which `prepare` decodes */
    const char *about;        /* a sentence, if the name does not say enough */
    int other_status;         /* of success too: 201 if the row was made, 200 if it was there already */
} RouteDoc;

/* What a WebSocket is for (api/socket.h). All but one of `texts` and `handle` may be NULL. The first three are called
 * on the loop's thread and must not block. */
typedef struct SocketSpec {
    void (*open)(Socket *socket);                    /* its client has shown its key: texts may be sent */
    void (*close)(Socket *socket, int code);         /* once, if it was opened, when no batch is being handled */
    void (*texts)(Socket *socket, WsBatch *batch);   /* of a row without a transaction; ends with ws_done */
    /* Of a row with TX_READ or TX_WRITE: handles the batch inside it, and may run twice. Once that is committed, the
     * client's pings are answered. False: tx->error says why; the socket is closed. */
    bool (*handle)(Socket *socket, Tx *tx, const WsBatch *batch);
    bool takes_binary;                               /* else such a message closes it */
    size_t message_max;                              /* bytes; 0: the server's limit */
} SocketSpec;

/* A row of a family's table. Rows are tried in order, as the reference's router does. In a path, {id} is a UUID (422
 * otherwise), {name:str} any text without '/', {id:uuid} matches UUIDs only (404 otherwise). */
typedef struct Route {
    HttpMethod method;
    const char *path;         /* below /api */
    Handler handle;           /* inside the transaction of `tx`; renders the reply */
    TxKind tx;
    int status;               /* of success; a handler may set another */

    const Model *model;       /* of the rows that a crud_… handler works on */
    const char *missing;      /* the 404 if there is no such row: "Flow not found" */
    int64_t (*remove)(Tx *tx, Str id); /* for crud_delete, if more is deleted than the row (model/removal.h) */

    /* What is decoded before the transaction. Parameters of body, query and head share the struct at req->object. */
    const Model *body;        /* one model is the whole body, at req->object */
    const Model *parameters;  /* a body of several parameters */
    const BodyPart *order;    /* of its parts, so of errors: as in the reference's signature. NULL: parameters alone */
    const ListSpec *list;     /* how sort and filters are read */
    const Model *query, *headers;
    Handler prepare;          /* checks what no table expresses; called if all the rest is right */

    Handler gate;             /* called before anything is decoded: whether the route is served at all */
    DbLock lock;              /* taken before `handle`, for data that is rarely written, and not row by row */
    bool any_version;         /* no X-PREFECT-API-VERSION check (/health) */
    bool own;                 /* not in the reference; omitted from the API's description */
    bool open;                /* needs no key (/health) */
    const SocketSpec *socket; /* of a row of HTTP_WS, which has only path, tx and in this */
    bool slow;                /* checking the request may wait for the disk: not on the loop */
    RouteDoc doc;
} Route;

typedef struct RouteFamily {
    const Route *routes;
    size_t count;
    const char *tag;          /* its heading in the description: "Flow Runs" */
} RouteFamily;

extern const RouteFamily *const route_families[]; /* api/routes/routes.c */
extern const size_t route_family_count;

#endif
