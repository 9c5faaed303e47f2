/* bench/bare.c -- bare ENGINE DATABASE CLIENTS SECONDS RUN_ID… < SCRIPT
 * The same SQL as an operation of the server, with the same commits, and nothing else: no HTTP, no JSON. bench/writes.py
 * records the script from a server, builds this program and runs it. On SQLite one thread writes what the clients ask
 * for, all that waits in one commit; on PostgreSQL each client has a connection. Prints operations, elapsed microseconds
 * and the microseconds of processor time; the first error ends it.
 *
 * A line of the script, its fields parted by tabs: "variant" begins one form of the operation, which a client uses in
 * turn; "statement TIMES READS SQL" is sent so many times, and its result waited for if READS is 1; a line
 * "KIND TEXT" for each of its values follows. */
#include <libpq-fe.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH_MAX = 128, CHECKPOINT_PAGES = 1000, CHECKPOINT_NOW_PAGES = 16000, /* as the server: db.c and sqlite.c */
    VARIANTS = 4, STATEMENTS = 16, VALUES = 96, CLIENTS = 256, TEXT = 48, LINE = 65536
};

typedef enum Kind { NULLED, LITERAL, INTEGER, NOW, RUN, NEW_A, NEW_B, SAME_A, SAME_B, UNIQUE, NAME } Kind;
static const char *const kinds[] = { "null", "text", "int", "now", "run", "new_a", "new_b", "same_a", "same_b",
                                     "unique", "name", NULL };

typedef struct Value {
    Kind kind;
    char *text;
    long long number;
} Value;

typedef struct Statement {
    int index;             /* among all of the script */
    int times, count;
    bool reads;
    char *sql;
    Value values[VALUES];
    sqlite3_stmt *handle;
    int places[VALUES];    /* of $1, $2 … among SQLite's parameters; 0: not used */
} Statement;

typedef struct Variant {
    Statement statements[STATEMENTS];
    int count;
} Variant;

typedef struct Client {
    const char *run;
    int number;
    long done;
    unsigned seed;
    Variant *variant; /* of the operation that it waits for */
    bool is_done;
    pthread_cond_t woken;
    struct Client *next;
    PGconn *connection;
    char a[TEXT], b[TEXT], now[TEXT];
} Client;

static Variant variants[VARIANTS];
static int variant_count, statement_count, client_count;
static Client clients[CLIENTS];
static const char *database;
static atomic_bool is_over;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bare: %s: %s\n", what, why);
    exit(1);
}

static int64_t microseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- the script ---- */

static Value value_of(char *line)
{
    char *text = strchr(line, '\t');
    if (!text)
        die("a value without a tab", line);
    *text++ = 0;
    for (int kind = 0; kinds[kind]; kind++)
        if (strcmp(kinds[kind], line) == 0)
            return (Value){ .kind = (Kind)kind, .text = strdup(text), .number = atoll(text) };
    die("no such kind of value", line);
    return (Value){ .kind = NULLED };
}

static void statement_of(char *line, Statement *statement)
{
    char *rest;
    statement->index = statement_count++;
    statement->times = (int)strtol(line, &rest, 10);
    statement->reads = strtol(rest, &rest, 10) == 1;
    statement->sql = strdup(rest + 1);
}

static void read_script(void)
{
    static char line[LINE];
    Statement *statement = NULL;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        if (strcmp(line, "variant") == 0) {
            if (++variant_count > VARIANTS)
                die("too many variants", line);
        } else if (strncmp(line, "statement\t", 10) == 0) {
            Variant *variant = &variants[variant_count - 1];
            if (variant_count == 0 || variant->count == STATEMENTS)
                die("too many statements, or none", line);
            statement_of(line + 10, statement = &variant->statements[variant->count++]);
        } else if (statement && statement->count < VALUES)
            statement->values[statement->count++] = value_of(line);
        else
            die("a value of no statement, or too many", line);
    }
}

/* ---- values ---- */

/* A UUID of version 7, as the server makes them: ordered by time. */
static void new_id(Client *client, char *text)
{
    uint64_t ms = (uint64_t)microseconds(CLOCK_REALTIME) / 1000;
    unsigned a = (unsigned)rand_r(&client->seed), b = (unsigned)rand_r(&client->seed);
    snprintf(text, TEXT, "%08x-%04x-7%03x-8%03x-%06x%06x", (unsigned)(ms >> 16), (unsigned)(ms & 0xffff), a & 0xfff,
             (a >> 12) & 0xfff, b & 0xffffff, (unsigned)rand_r(&client->seed) & 0xffffff);
}

static void note_time(Client *client)
{
    int64_t us = microseconds(CLOCK_REALTIME);
    time_t seconds = us / 1000000;
    struct tm parts;
    gmtime_r(&seconds, &parts);
    size_t length = strftime(client->now, TEXT, "%Y-%m-%d %H:%M:%S", &parts);
    snprintf(client->now + length, TEXT - length, ".%06d", (int)(us % 1000000));
}

/* The value as text, in `own` if it is made anew. NULL: none. */
static const char *text_of(Client *client, const Value *value, char *own)
{
    switch (value->kind) {
    case NULLED: return NULL;
    case LITERAL:
    case INTEGER: return value->text;
    case NOW: return client->now;
    case RUN: return client->run;
    case NEW_A: new_id(client, client->a); return client->a;
    case NEW_B: new_id(client, client->b); return client->b;
    case SAME_A: return client->a;
    case SAME_B: return client->b;
    case UNIQUE: snprintf(own, TEXT, "%d-%d-%ld", (int)getpid(), client->number, client->done); return own;
    case NAME: snprintf(own, TEXT, "%x-bare", (unsigned)rand_r(&client->seed)); return own;
    }
    return NULL;
}

/* ---- SQLite ---- */

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_filled = PTHREAD_COND_INITIALIZER, log_is_long = PTHREAD_COND_INITIALIZER;
static Client *queue_first, **queue_end = &queue_first;
static int wal_pages;

static int on_commit(void *context, sqlite3 *db, const char *name, int pages)
{
    (void)context, (void)db, (void)name;
    wal_pages = pages;
    return SQLITE_OK;
}

static sqlite3 *open_sqlite(void)
{
    sqlite3 *db;
    if (sqlite3_open_v2(database, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA foreign_keys = ON; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                         "PRAGMA cache_size = -2048; PRAGMA temp_store = MEMORY", NULL, NULL, NULL) != SQLITE_OK)
        die(database, sqlite3_errmsg(db));
    return db;
}

static void prepare_sqlite(sqlite3 *db, Statement *statement)
{
    if (sqlite3_prepare_v3(db, statement->sql, -1, SQLITE_PREPARE_PERSISTENT, &statement->handle, NULL) != SQLITE_OK)
        die(statement->sql, sqlite3_errmsg(db));
    for (int i = 0; i < statement->count; i++) {
        char name[16];
        snprintf(name, sizeof name, "$%d", i + 1);
        statement->places[i] = sqlite3_bind_parameter_index(statement->handle, name);
    }
}

static void bind_sqlite(Client *client, Statement *statement)
{
    char own[VALUES][TEXT];
    for (int i = 0; i < statement->count; i++) {
        const Value *value = &statement->values[i];
        if (value->kind == INTEGER)
            sqlite3_bind_int64(statement->handle, statement->places[i], value->number);
        else
            sqlite3_bind_text(statement->handle, statement->places[i], text_of(client, value, own[i]), -1,
                              value->kind == UNIQUE || value->kind == NAME ? SQLITE_TRANSIENT : SQLITE_STATIC);
    }
}

static bool step_sqlite(sqlite3_stmt *handle)
{
    int code;
    while ((code = sqlite3_step(handle)) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(handle); i++)
            (void)sqlite3_column_text(handle, i);
    sqlite3_reset(handle);
    return code == SQLITE_DONE;
}

static bool run_sqlite(Client *client, Variant *variant)
{
    note_time(client);
    for (int i = 0; i < variant->count; i++) {
        Statement *statement = &variant->statements[i];
        for (int n = 0; n < statement->times; n++) {
            bind_sqlite(client, statement);
            if (!step_sqlite(statement->handle))
                return false;
        }
    }
    return true;
}

/* What waits, at most BATCH_MAX; NULL: it is over. */
static Client *take_batch(void)
{
    pthread_mutex_lock(&queue_lock);
    while (!queue_first && !is_over)
        pthread_cond_wait(&queue_filled, &queue_lock);
    Client *first = queue_first, **end = &queue_first;
    for (int i = 0; i < BATCH_MAX && *end; i++)
        end = &(*end)->next;
    queue_first = *end;
    *end = NULL;
    if (!queue_first)
        queue_end = &queue_first;
    pthread_mutex_unlock(&queue_lock);
    return first;
}

static void answer(Client *batch)
{
    pthread_mutex_lock(&queue_lock);
    for (Client *client = batch, *next; client; client = next) {
        next = client->next;
        client->is_done = true;
        pthread_cond_signal(&client->woken);
    }
    if (wal_pages >= CHECKPOINT_PAGES)
        pthread_cond_signal(&log_is_long);
    pthread_mutex_unlock(&queue_lock);
}

static void *write_all(void *argument)
{
    enum { BEGIN, COMMIT, SAVEPOINT, RELEASE, STEPS };
    static const char *const texts[] = { "BEGIN IMMEDIATE", "COMMIT", "SAVEPOINT operation", "RELEASE operation" };
    sqlite3_stmt *steps[STEPS];
    sqlite3 *db = argument;
    for (int i = 0; i < STEPS; i++)
        sqlite3_prepare_v2(db, texts[i], -1, &steps[i], NULL);
    for (int v = 0; v < variant_count; v++)
        for (int i = 0; i < variants[v].count; i++)
            prepare_sqlite(db, &variants[v].statements[i]);
    for (Client *batch; (batch = take_batch()) != NULL;) {
        step_sqlite(steps[BEGIN]);
        for (Client *client = batch; client; client = client->next) {
            step_sqlite(steps[SAVEPOINT]);
            if (!run_sqlite(client, client->variant) || !step_sqlite(steps[RELEASE]))
                die(sqlite3_errmsg(db), client->variant->statements[0].sql);
        }
        if (!step_sqlite(steps[COMMIT]))
            die("COMMIT", sqlite3_errmsg(db));
        answer(batch);
        if (wal_pages >= CHECKPOINT_NOW_PAGES)
            sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
    }
    return NULL;
}

static void *checkpoint_all(void *argument)
{
    sqlite3 *db = argument;
    pthread_mutex_lock(&queue_lock);
    while (!is_over) {
        pthread_cond_wait(&log_is_long, &queue_lock);
        pthread_mutex_unlock(&queue_lock);
        sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        pthread_mutex_lock(&queue_lock);
    }
    pthread_mutex_unlock(&queue_lock);
    return NULL;
}

static void ask_sqlite(Client *client, Variant *variant)
{
    pthread_mutex_lock(&queue_lock);
    client->variant = variant;
    client->is_done = false;
    client->next = NULL;
    *queue_end = client;
    queue_end = &client->next;
    pthread_cond_signal(&queue_filled);
    while (!client->is_done)
        pthread_cond_wait(&client->woken, &queue_lock);
    pthread_mutex_unlock(&queue_lock);
}

/* ---- PostgreSQL ---- */

static void connect_postgresql(Client *client)
{
    PGconn *connection = client->connection = PQconnectdb(database);
    if (PQstatus(connection) != CONNECTION_OK)
        die("connect", PQerrorMessage(connection));
    for (int v = 0; v < variant_count; v++)
        for (int i = 0; i < variants[v].count; i++) {
            const Statement *statement = &variants[v].statements[i];
            char name[16];
            snprintf(name, sizeof name, "s%d", statement->index);
            PGresult *result = PQprepare(connection, name, statement->sql, 0, NULL);
            if (PQresultStatus(result) != PGRES_COMMAND_OK)
                die(statement->sql, PQerrorMessage(connection));
            PQclear(result);
        }
    PQclear(PQprepare(connection, "begin", "BEGIN", 0, NULL));
    PQclear(PQprepare(connection, "commit", "COMMIT", 0, NULL));
    if (!PQenterPipelineMode(connection))
        die("pipeline", PQerrorMessage(connection));
}

/* Reads the results of `pending` statements. */
static void collect(PGconn *connection, int *pending)
{
    for (; *pending > 0; --*pending)
        for (PGresult *result; (result = PQgetResult(connection)) != NULL; PQclear(result)) {
            ExecStatusType status = PQresultStatus(result);
            if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
                die("a statement", PQresultErrorMessage(result));
        }
}

static void send_postgresql(Client *client, const Statement *statement)
{
    char own[VALUES][TEXT], name[16];
    const char *texts[VALUES];
    for (int i = 0; i < statement->count; i++)
        texts[i] = text_of(client, &statement->values[i], own[i]);
    snprintf(name, sizeof name, "s%d", statement->index);
    PQsendQueryPrepared(client->connection, name, statement->count, texts, NULL, NULL, 1);
}

static void ask_postgresql(Client *client, Variant *variant)
{
    PGconn *connection = client->connection;
    int pending = 1;
    note_time(client);
    PQsendQueryPrepared(connection, "begin", 0, NULL, NULL, NULL, 1);
    for (int i = 0; i < variant->count; i++) {
        const Statement *statement = &variant->statements[i];
        for (int n = 0; n < statement->times; n++, pending++)
            send_postgresql(client, statement);
        if (statement->reads) {
            PQsendFlushRequest(connection);
            PQflush(connection);
            collect(connection, &pending);
        }
    }
    PQsendQueryPrepared(connection, "commit", 0, NULL, NULL, NULL, 1);
    PQpipelineSync(connection);
    pending++;
    collect(connection, &pending);
    PQclear(PQgetResult(connection)); /* of the sync */
}

/* ---- the load ---- */

static void (*ask)(Client *client, Variant *variant);

static void *be_client(void *argument)
{
    Client *client = argument;
    for (; !is_over; client->done++)
        ask(client, &variants[client->done % variant_count]);
    return NULL;
}

static void begin_sqlite(pthread_t *writer)
{
    pthread_t maintenance;
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3 *db = open_sqlite();
    sqlite3_wal_hook(db, on_commit, NULL);
    ask = ask_sqlite;
    pthread_create(writer, NULL, write_all, db);
    pthread_create(&maintenance, NULL, checkpoint_all, open_sqlite());
    pthread_detach(maintenance);
}

static int64_t processor_time(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

static void run_clients(double seconds)
{
    pthread_t threads[CLIENTS];
    int64_t began = microseconds(CLOCK_MONOTONIC), used = processor_time();
    for (int i = 0; i < client_count; i++)
        pthread_create(&threads[i], NULL, be_client, &clients[i]);
    nanosleep(&(struct timespec){ (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) }, NULL);
    is_over = true;
    long done = 0;
    for (int i = 0; i < client_count; i++) {
        pthread_join(threads[i], NULL);
        done += clients[i].done;
    }
    printf("RESULT %ld %lld %lld\n", done, (long long)(microseconds(CLOCK_MONOTONIC) - began),
           (long long)(processor_time() - used));
}

int main(int count, char **arguments)
{
    pthread_t writer;
    if (count < 6 || (client_count = atoi(arguments[3])) < 1 || client_count > CLIENTS)
        die("usage", "bare ENGINE DATABASE CLIENTS SECONDS RUN_ID... < SCRIPT");
    const bool is_sqlite = strcmp(arguments[1], "sqlite") == 0;
    database = arguments[2];
    read_script();
    for (int i = 0; i < client_count; i++) {
        clients[i] = (Client){ .run = arguments[5 + i % (count - 5)], .number = i, .seed = (unsigned)i + 1 };
        pthread_cond_init(&clients[i].woken, NULL);
        if (!is_sqlite)
            connect_postgresql(&clients[i]);
    }
    ask = ask_postgresql;
    if (is_sqlite)
        begin_sqlite(&writer);
    run_clients(atof(arguments[4]));
    return 0; /* without closing: what was committed is on the disk */
}
