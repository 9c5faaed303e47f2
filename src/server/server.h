/* server/server.h -- the running server: database, routes and HTTP assembled. */
#ifndef ORION_SERVER_H
#define ORION_SERVER_H

#include "config/settings.h"
#include "db/db.h"
#include "http/http.h"

typedef struct ServerOptions {
    const char *host;          /* NULL: the setting */
    unsigned port;             /* 0: the setting */
    double keep_alive_timeout; /* seconds */
    const char *ui_dir;        /* a folder of the dashboard's files; NULL: those inside the program */
    /* Called once the socket listens, with the port, to print where things are. May be NULL. */
    void (*listening)(const char *host, unsigned port, void *arg);
    void *arg;
} ServerOptions;

/* Opens the database that the settings name, migrates it if they say so, listens, serves until SIGINT or SIGTERM,
 * drains. False: *error is one line for the user. */
bool server_run(const Settings *settings, const ServerOptions *options, Error *error) MUST_CHECK;

#endif
