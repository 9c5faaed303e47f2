/* server/supervisor.h -- tells the service manager that started the program (systemd, Type=notify) how it is; the
 * protocol is that of sd_notify(3). */
#ifndef ORION_SUPERVISOR_H
#define ORION_SUPERVISOR_H

#include "base/base.h"

#include <sys/socket.h>
#include <sys/un.h>

typedef struct Supervisor {
    int fd;                     /* -1: nobody wants to know */
    struct sockaddr_un address;
    socklen_t length;
    int64_t beat_every;         /* milliseconds between two signs of life; 0: none are wanted */
    bool is_told_of_end;
} Supervisor;

/* From the environment: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID. Warns if they cannot be understood. */
void supervisor_find(Supervisor *ret);
/* The server listens there. */
void supervisor_ready(const Supervisor *supervisor, const char *host, unsigned port);
/* A sign of life, or the beginning of the end. Does not block. */
void supervisor_beat(Supervisor *supervisor, bool draining);
void supervisor_leave(Supervisor *supervisor);

#endif
