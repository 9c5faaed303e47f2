/* cli/start.h -- a server in the foreground, as `orion start` and `prefect server start` run it. */
#ifndef ORION_CLI_START_H
#define ORION_CLI_START_H

#include "cli/cli.h"

/* What is said around it. */
typedef struct StartWords {
    void (*listening)(const char *host, unsigned port, void *arg); /* as in ServerOptions */
    void *arg;
    const char *stopped; /* at the end */
} StartWords;

/* Takes the command's options, and serves until SIGINT or SIGTERM. The exit status. */
int cli_start(Cli *cli, const StartWords *words);

#endif
