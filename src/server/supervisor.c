/* server/supervisor.c -- the service manager's socket: one datagram for each message. */
#include "server/supervisor.h"

#include <errno.h>
#include <stddef.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"

#define LOGGER "orion.server"

enum { READY_WAIT = 5 /* seconds that the first message may wait for room in the socket */ };

/* A path, or a name in Linux's abstract namespace, which begins with @. */
static bool read_address(Supervisor *supervisor, const char *text)
{
    size_t n = strlen(text);
    if ((text[0] != '/' && text[0] != '@') || n < 2 || n >= sizeof supervisor->address.sun_path)
        return false;
    supervisor->address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(supervisor->address.sun_path, text, n);
    if (text[0] == '@')
        supervisor->address.sun_path[0] = '\0';
    supervisor->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (text[0] == '/'));
    return true;
}

static bool read_number(const char *text, int64_t *ret)
{
    char *end;
    errno = 0;
    *ret = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *ret > 0;
}

/* The watchdog's time limit is for the process that WATCHDOG_PID names: who starts us might have left it to us. */
static int64_t beat_of_environment(void)
{
    const char *limit = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    int64_t microseconds, number;
    if (!limit || (pid && (!read_number(pid, &number) || number != getpid())))
        return 0;
    if (!read_number(limit, &microseconds)) {
        log_warning(LOGGER, "WATCHDOG_USEC is not a number of microseconds: %s", limit);
        return 0;
    }
    int64_t half = microseconds / 2000;
    return half > 0 ? half : 1;
}

/* False: errno says why. */
static bool tell(const Supervisor *supervisor, const char *text, int flags)
{
    return sendto(supervisor->fd, text, strlen(text), flags | MSG_NOSIGNAL,
                  (const struct sockaddr *)&supervisor->address, supervisor->length) >= 0;
}

void supervisor_find(Supervisor *ret)
{
    const char *text = getenv("NOTIFY_SOCKET");
    *ret = (Supervisor){ .fd = -1 };
    if (!text || !*text)
        return;
    if (!read_address(ret, text)) {
        log_warning(LOGGER, "NOTIFY_SOCKET is neither a path nor a name after @: %s", text);
        return;
    }
    ret->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct timeval wait = { .tv_sec = READY_WAIT };
    if (ret->fd < 0 || setsockopt(ret->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) < 0) {
        log_warning(LOGGER, "The service manager cannot be told anything: %m.");
        supervisor_leave(ret);
        return;
    }
    ret->beat_every = beat_of_environment();
}

void supervisor_ready(const Supervisor *supervisor, const char *host, unsigned port)
{
    char text[400];
    if (supervisor->fd < 0)
        return;
    snprintf(text, sizeof text, strchr(host, ':') ? "READY=1\nSTATUS=Serving http://[%.300s]:%u"
                                                  : "READY=1\nSTATUS=Serving http://%.300s:%u", host, port);
    if (!tell(supervisor, text, 0))
        log_warning(LOGGER, "The service manager cannot be told that Orion is ready: %m (NOTIFY_SOCKET=%s).",
                    getenv("NOTIFY_SOCKET"));
}

/* A sign of life that finds no room is not missed: the next one comes before the time limit has passed. */
void supervisor_beat(Supervisor *supervisor, bool draining)
{
    if (supervisor->fd < 0)
        return;
    if (draining && !supervisor->is_told_of_end)
        supervisor->is_told_of_end = tell(supervisor, "STOPPING=1\nSTATUS=Completing the requests in flight",
                                          MSG_DONTWAIT);
    if (supervisor->beat_every)
        (void)!tell(supervisor, "WATCHDOG=1", MSG_DONTWAIT);
}

void supervisor_leave(Supervisor *supervisor)
{
    if (supervisor->fd >= 0)
        close(supervisor->fd);
    supervisor->fd = -1;
}
