/* tests/unit/test_http.c -- a live HTTP server, spoken to over sockets. */
#include "live_http.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

static void a_reply_has_its_headers_in_order(void **state)
{
    Live *live = live_default();
    int fd = client(live);
    say(fd, "GET /a%0d%0aX:%20y?hi HTTP/1.1\r\nHost: x\r\nX-Request-Id: r1\r\n\r\n");
    const char *reply = hear_reply(fd, false);
    assert_memory_equal(reply, "HTTP/1.1 200 OK\r\ndate: ", 23);
    assert_memory_equal(reply + 23 + 25, " GMT\r\n", 6);
    assert_string_equal(reply + 23 + 31,
                        "server: orion\r\ncontent-length: 2\r\nx-request-id: r1\r\ncontent-type: text/plain\r\n"
                        "x-path: /a  X: y\r\n\r\nhi");
    struct tm sent = { 0 };
    assert_non_null(strptime(reply + 23, "%a, %d %b %Y %H:%M:%S GMT", &sent));
    assert_true(labs((long)(time(NULL) - timegm(&sent))) <= 2);
    close(fd);
    live_end(live);
    (void)state;
}

static void head_and_204_have_no_body(void **state)
{
    Live *live = live_default();
    int fd = client(live);
    say(fd, "HEAD /?12345 HTTP/1.1\r\nHost: x\r\n\r\n" GET("/none") GET("/?last"));
    const char *reply = hear_reply(fd, true);
    assert_non_null(strstr(reply, "content-length: 5\r\n"));
    reply = hear_reply(fd, true);
    assert_memory_equal(reply, "HTTP/1.1 204 No Content\r\n", 25);
    assert_null(strstr(reply, "content-length"));
    assert_reply(fd, "200", "last");
    close(fd);
    live_end(live);
    (void)state;
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    Live *live = live_default();
    int fd = client(live);
    char text[64], expected[16];
    for (int i = 0; i < 60; i++) {
        snprintf(text, sizeof text, i % 3 ? GET("/defer?%d") : "\r\n" GET("/?%d"), i);
        say(fd, text);
    }
    for (int i = 0; i < 60; i++) {
        snprintf(expected, sizeof expected, "%d", i);
        assert_reply(fd, "200", expected);
    }
    close(fd);
    live_end(live);
    (void)state;
}

static void a_request_may_come_byte_by_byte(void **state)
{
    static const char request[] =
        "POST /defer HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n" GET("/?2");
    Live *live = live_default();
    int fd = client(live), on = 1;
    setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
    for (size_t i = 0; i < sizeof request - 1; i++)
        say(fd, (char[]){ request[i], '\0' });
    assert_reply(fd, "200", "abcde");
    assert_reply(fd, "200", "2");
    close(fd);
    live_end(live);
    (void)state;
}

static void http_10_closes_unless_asked(void **state)
{
    Live *live = live_default();
    int fd = client(live);
    say(fd, "GET /?a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const char *reply = hear_reply(fd, false);
    assert_non_null(strstr(reply, "\r\nconnection: keep-alive\r\n"));
    say(fd, "GET /?b HTTP/1.0\r\n\r\n");
    reply = hear_reply(fd, false);
    assert_non_null(strstr(reply, "\r\nconnection: close\r\n"));
    assert_ended(fd);
    live_end(live);
    (void)state;
}

static void a_client_that_expects_is_told_to_continue(void **state)
{
    Live *live = live_default();
    int fd = client(live);
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    assert_string_equal(hear_reply(fd, false), "HTTP/1.1 100 Continue\r\n\r\n");
    say(fd, "abc");
    assert_reply(fd, "200", "abc");
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nxyz");
    assert_reply(fd, "200", "xyz");
    close(fd);
    live_end(live);
    (void)state;
}

static void refusals_end_the_connection(void **state)
{
    static const struct { const char *request, *status; } cases[] = {
        { "GET /\r\n\r\n", "400" },
        { "\x16\x03\x01", "400" },
        { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n", "413" },
        { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n", "413" },
        { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "400" },
        { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: br\r\n\r\n", "501" },
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505" },
    };
    Live *live = live_default();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int fd = client(live);
        say(fd, GET("/?first"));
        assert_reply(fd, "200", "first");
        say(fd, cases[i].request);
        const char *reply = hear_reply(fd, false);
        assert_memory_equal(reply + 9, cases[i].status, 3);
        assert_non_null(strstr(reply, "\r\nconnection: close\r\n"));
        assert_true(strlen(body_of(reply)) > 10);
        assert_ended(fd);
    }
    live_end(live);
    (void)state;
}

/* What the reply to a request with that header line ("" for none) has; the same memory each time. */
static const char *id_answered(int fd, const char *line)
{
    static char id[256];
    say(fd, "GET /?x HTTP/1.1\r\nHost: x\r\n");
    say(fd, line);
    say(fd, "\r\n");
    const char *reply = hear_reply(fd, false), *found = strstr(reply, "\r\nx-request-id: ");
    assert_non_null(found);
    assert_null(strstr(found + 2, "\r\nx-request-id: "));
    found += strlen("\r\nx-request-id: ");
    assert_true((size_t)snprintf(id, sizeof id, "%.*s", (int)strcspn(found, "\r"), found) < sizeof id);
    return id;
}

static void replies_have_the_id_of_their_request(void **state)
{
    static const char *const unfit[] = { "", "X-Request-Id:\r\n", "X-Request-Id: a b\r\n", "X-Request-Id: \"a\"\r\n",
                                         "X-Request-Id: \xc3\xa9\r\n" };
    Live *live = live_default();
    int fd = client(live);
    char line[256], first[32];
    assert_string_equal(id_answered(fd, "x-request-ID: 0aZ-._~:/+=@\r\n"), "0aZ-._~:/+=@");
    for (size_t n = 128; n <= 129; n++) {
        memset(line, 'a', sizeof line);
        memcpy(line, "X-Request-Id: ", 14);
        memcpy(line + 14 + n, "\r\n", 3);
        assert_int_equal(strlen(id_answered(fd, line)), n == 128 ? 128 : 16);
    }
    for (size_t i = 0; i < COUNT_OF(unfit); i++) {
        const char *made = id_answered(fd, unfit[i]);
        assert_int_equal(strspn(made, "0123456789abcdef"), 16);
        assert_int_equal(strlen(made), 16);
        assert_true(i == 0 || strcmp(made, first) != 0);
        (void)snprintf(first, sizeof first, "%s", made);
    }
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\nContent-Length: 1048577\r\n\r\n");
    assert_non_null(strstr(hear_reply(fd, false), "\r\nx-request-id: mine\r\n"));
    close(fd);
    fd = client(live);
    say(fd, "nonsense\r\n\r\n");
    assert_non_null(strstr(hear_reply(fd, false), "\r\nx-request-id: "));
    close(fd);
    live_end(live);
    (void)state;
}

static void large_heads_are_refused(void **state)
{
    Live *live = live_default();
    char head[HEAD_MAX + 1];
    for (int over = 0; over < 2; over++) {
        int fd = client(live);
        size_t n = (size_t)snprintf(head, sizeof head, "GET /?x HTTP/1.1\r\nHost: x\r\na: ");
        memset(head + n, 'v', sizeof head - n);
        if (!over)
            memcpy(head + HEAD_MAX - 4, "\r\n\r\n", 5);
        head[HEAD_MAX] = '\0';
        say(fd, head);
        assert_reply(fd, over ? "431" : "200", over ? NULL : "x");
        close(fd);
    }
    live_end(live);
    (void)state;
}

/* The client goes on sending a body that was refused: it must still be able to read why. */
static void a_refused_body_does_not_reset_the_connection(void **state)
{
    Live *live = live_default();
    int fd = client(live);
    char block[4096] = { 0 };
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n");
    for (int i = 0; i < 500; i++)
        assert_true(send(fd, block, sizeof block, MSG_NOSIGNAL) > 0);
    assert_reply(fd, "413", NULL);
    close(fd);
    live_end(live);
    (void)state;
}

static void large_bodies_pass_both_ways(void **state)
{
    Live *live = live_default();
    int fd = client(live);
    say(fd, GET("/big") GET("/?after"));
    usleep(50000); /* until the server has to wait for us */
    const size_t block = 65536;
    char *bytes = xmalloc(block);
    assert_non_null(strstr(hear_reply(fd, true), "content-length: 8388608\r\n"));
    for (size_t at = 0; at < BIG;) {
        ssize_t n = recv(fd, bytes, block < BIG - at ? block : BIG - at, 0);
        assert_true(n > 0);
        assert_memory_equal(bytes, live->big + at, (size_t)n);
        at += (size_t)n;
    }
    assert_reply(fd, "200", "after");
    say(fd, "POST /defer HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n");
    for (size_t at = 0; at < BODY_MAX; at += block)
        assert_int_equal(send(fd, live->big + at, block, MSG_NOSIGNAL), block);
    assert_non_null(strstr(hear_reply(fd, true), "content-length: 1048576\r\n"));
    for (size_t at = 0; at < BODY_MAX;) {
        ssize_t n = recv(fd, bytes, block < BODY_MAX - at ? block : BODY_MAX - at, 0);
        assert_true(n > 0);
        assert_memory_equal(bytes, live->big + at, (size_t)n);
        at += (size_t)n;
    }
    free(bytes);
    close(fd);
    live_end(live);
    (void)state;
}

static void idle_and_slow_clients_are_let_go(void **state)
{
    HttpConfig config = live_config(NULL);
    config.keep_alive_timeout = 0.15;
    config.head_timeout = config.reply_timeout = 0.3;
    Live *live = live_start(&config, 5);
    int idle = client(live), silent = client(live), slow_head = client(live), slow_body = client(live),
        deaf = client(live);
    say(idle, GET("/?x"));
    assert_reply(idle, "200", "x");
    assert_ended(idle);
    say(slow_head, "GET / HTT");
    say(slow_body, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na");
    say(deaf, GET("/big"));
    assert_ended(silent);
    assert_reply(slow_head, "408", NULL);
    assert_ended(slow_head);
    assert_reply(slow_body, "408", NULL);
    assert_ended(slow_body);
    usleep(500000);
    char bytes[65536];
    size_t heard = 0;
    for (ssize_t n; (n = recv(deaf, bytes, sizeof bytes, 0)) > 0;)
        heard += (size_t)n;
    assert_true(heard > 0 && heard < BIG); /* it stayed away too long, and lost the rest */
    close(deaf);
    live_end(live);
    (void)state;
}

static void a_client_may_leave_before_its_reply(void **state)
{
    Live *live = live_default();
    int half = client(live);
    say(half, GET("/hold"));
    HttpRequest *first = wait_held(live);
    shutdown(half, SHUT_WR); /* it still listens */
    int gone = client(live);
    say(gone, GET("/hold"));
    HttpRequest *second = wait_held(live);
    struct linger reset = { .l_onoff = 1 };
    setsockopt(gone, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(gone);
    usleep(50000);
    http_reply(first, 200, NULL, 0, STR("late"));
    http_reply(second, 200, NULL, 0, STR("too late"));
    assert_reply(half, "200", "late");
    assert_ended(half);
    live_end(live);
    (void)state;
}

static bool is_answered_within(int fd, int milliseconds)
{
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    return poll(&wait, 1, milliseconds) == 1;
}

static Live *live_with_connections(unsigned most)
{
    HttpConfig config = live_config(NULL);
    config.connections_max = most;
    log_set_level(LOG_CRITICAL); /* the warning is expected */
    return live_start(&config, 5);
}

static int served(const Live *live)
{
    int fd = client(live);
    say(fd, GET("/?x"));
    assert_reply(fd, "200", "x");
    return fd;
}

/* A second descriptor of the server's end of a client's connection, as another process that looks at a server's
 * descriptors has for a moment. */
static int other_descriptor(int client_fd)
{
    struct sockaddr_in6 own = { 0 }, peer;
    socklen_t n = sizeof own;
    assert_int_equal(getsockname(client_fd, (struct sockaddr *)&own, &n), 0);
    for (int fd = 3; fd < 1024; fd++) {
        n = sizeof peer;
        if (fd != client_fd && getpeername(fd, (struct sockaddr *)&peer, &n) == 0 && peer.sin6_port == own.sin6_port)
            return dup(fd);
    }
    return -1;
}

/* Closing alone leaves it watched as long as anybody has its file, and what comes then would be the freed one's. */
static void a_closed_connection_is_not_watched(void **state)
{
    Live *live = live_default();
    int fd = client(live), second = client(live);
    say(fd, GET("/?1"));
    assert_reply(fd, "200", "1");
    int other = other_descriptor(fd);
    assert_true(other >= 0);
    say(fd, "GET /?2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_reply(fd, "200", "2");
    for (int i = 0; i < 3; i++) {
        say(second, GET("/?turn"));
        assert_reply(second, "200", "turn");
        say(fd, "more");
    }
    close(fd);
    say(second, GET("/?last"));
    assert_reply(second, "200", "last");
    close(other);
    close(second);
    live_end(live);
    (void)state;
}

static void who_has_waited_longest_makes_room(void **state)
{
    static const char *const waiting[] = {
        GET("/?idle"), "", "GET / HT", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na",
    };
    Live *live = live_with_connections(COUNT_OF(waiting));
    int fds[COUNT_OF(waiting)], late[COUNT_OF(waiting)];
    for (size_t i = 0; i < COUNT_OF(waiting); i++) {
        fds[i] = client(live);
        say(fds[i], waiting[i]);
        usleep(30000);
    }
    assert_reply(fds[0], "200", "idle");
    for (size_t i = 0; i < COUNT_OF(waiting); i++) {
        late[i] = served(live);
        assert_ended(fds[i]);
        for (size_t k = i + 1; k < COUNT_OF(waiting); k++)
            assert_false(is_answered_within(fds[k], 0));
    }
    for (size_t i = 0; i < COUNT_OF(waiting); i++)
        close(late[i]);
    live_end(live);
    (void)state;
}

static void what_is_worked_on_makes_no_room(void **state)
{
    Live *live = live_with_connections(2);
    int one = client(live), two = client(live);
    say(one, GET("/hold"));
    HttpRequest *first = wait_held(live);
    say(two, GET("/hold"));
    HttpRequest *second = wait_held(live);
    int three = client(live);
    say(three, GET("/?3"));
    assert_false(is_answered_within(three, 500));
    http_reply(first, 200, NULL, 0, STR("1"));
    assert_reply(one, "200", "1");
    assert_reply(three, "200", "3"); /* one is idle now */
    assert_ended(one);
    http_reply(second, 200, NULL, 0, STR("2"));
    assert_reply(two, "200", "2");
    close(two);
    close(three);
    live_end(live);
    (void)state;
}

static size_t hear_some(int fd, size_t most)
{
    static char bytes[1 << 20];
    ssize_t n = recv(fd, bytes, most < sizeof bytes ? most : sizeof bytes, 0);
    return n > 0 ? (size_t)n : 0;
}

static void a_client_that_reads_makes_no_room(void **state)
{
    Live *live = live_with_connections(2);
    int reads = client(live), deaf = client(live);
    say(reads, GET("/big"));
    say(deaf, GET("/big"));
    usleep(300000);
    size_t heard = hear_some(reads, 1 << 20);
    int other = served(live);
    for (size_t n = 1; n; heard += n)
        n = heard < BIG ? hear_some(reads, 1 << 20) : 0;
    assert_true(heard >= BIG);
    size_t of_deaf = 0;
    for (size_t n = 1; n; of_deaf += n)
        n = hear_some(deaf, 1 << 20);
    assert_true(of_deaf < BIG);
    close(deaf);
    close(reads);
    close(other);
    live_end(live);
    (void)state;
}

static void a_costly_reply_is_not_given_up(void **state)
{
    Live *live = live_default();
    int fd = client(live);
    say(fd, GET("/costly"));
    usleep(400000);
    size_t heard = 0;
    for (size_t n = 1; n && heard < BIG; heard += n)
        n = hear_some(fd, 1 << 20);
    assert_true(heard >= BIG);
    close(fd);
    live_end(live);
    (void)state;
}

enum { DEAF = 300 }; /* clients that take nothing, for whom 300 MB would wait; a few are waited for longer */

/* So many of them get their whole reply if they begin to read after that time. */
static size_t whole_replies(Live *live, unsigned seconds)
{
    int fds[DEAF];
    size_t whole = 0;
    for (size_t i = 0; i < DEAF; i++) {
        fds[i] = client(live);
        say(fds[i], GET("/copied"));
    }
    sleep(seconds);
    for (size_t i = 0; i < DEAF; i++) {
        size_t heard = 0;
        for (size_t n = 1; n && heard < COPIED; heard += n)
            n = hear_some(fds[i], COPIED);
        whole += heard >= COPIED;
        close(fds[i]);
    }
    return whole;
}

static void replies_that_nobody_takes_are_given_up(void **state)
{
    Live *live = live_default();
    bool given_up = false;
    for (unsigned seconds = 2; seconds <= 16 && !given_up; seconds *= 2) { /* a busy machine takes its time */
        size_t whole = whole_replies(live, seconds);
        given_up = whole > 0 && whole <= 20;
    }
    assert_true(given_up);
    live_end(live);
    (void)state;
}

static void a_body_that_comes_at_the_least_rate_is_taken(void **state)
{
    HttpConfig config = live_config(NULL);
    config.head_timeout = 0.3;
    config.body_rate = 100;
    Live *live = live_start(&config, 5);
    int slow = client(live), stalled = client(live);
    say(slow, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 120\r\n\r\n");
    say(stalled, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 130\r\n\r\n");
    for (int i = 0; i < 12; i++) { /* 1.2 seconds for 120 bytes */
        say(slow, "aaaaaaaaaa");
        say(stalled, i < 5 ? "aaaaaaaaaa" : "");
        usleep(100000);
    }
    assert_non_null(strstr(hear_reply(slow, false), " 200 OK"));
    assert_reply(stalled, "408", NULL); /* 50 bytes are worth half a second */
    close(slow);
    close(stalled);
    live_end(live);
    (void)state;
}

static const char *reply_to_body(Live *live)
{
    int fd = client(live);
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
    send(fd, live->big, 1000, MSG_NOSIGNAL);
    const char *reply = hear_reply(fd, false);
    close(fd);
    return reply;
}

/* Until all that was sent has reached the server: a window that was full may stay shut for some 200 ms. */
static void wait_arrived(int fd)
{
    int left = 1;
    for (int tries = 0; left > 0 && tries < 5000; tries++) {
        assert_int_equal(ioctl(fd, SIOCOUTQ, &left), 0);
        usleep(1000);
    }
    assert_int_equal(left, 0);
}

static void bodies_that_linger_make_room_for_others(void **state)
{
    HttpConfig config = live_config(NULL);
    config.head_timeout = 2;
    config.body_rate = 1 << 20;
    Live *live = live_start(&config, 5);
    static const char head[] = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n";
    int fds[4]; /* what may be in memory at once */
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = client(live);
        say(fds[i], head);
        assert_int_equal(send(fds[i], live->big, BODY_MAX - 1, MSG_NOSIGNAL), BODY_MAX - 1);
    }
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        wait_arrived(fds[i]);
    usleep(100000);
    assert_non_null(strstr(reply_to_body(live), " 503 ")); /* none of them is slow yet */
    bool is_taken = false;
    for (int tries = 0; tries < 300 && !is_taken; tries++) {
        usleep(100000);
        is_taken = strstr(reply_to_body(live), " 200 OK") != NULL;
    }
    assert_true(is_taken);
    assert_ended(fds[0]);
    for (size_t i = 1; i < COUNT_OF(fds); i++)
        close(fds[i]);
    live_end(live);
    (void)state;
}

static void running_out_of_descriptors_passes(void **state)
{
    Live *live = live_default();
    int idle = served(live);
    struct rlimit all, few;
    getrlimit(RLIMIT_NOFILE, &all);
    int starved = socket(AF_INET, SOCK_STREAM, 0);
    few = (struct rlimit){ (rlim_t)starved + 1, all.rlim_max };
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)http_server_port(live->server)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    log_set_level(LOG_CRITICAL); /* the warning is expected */
    setrlimit(RLIMIT_NOFILE, &few);
    assert_int_equal(connect(starved, (struct sockaddr *)&address, sizeof address), 0);
    say(starved, GET("/?3"));
    bool answered = is_answered_within(starved, 1000);
    setrlimit(RLIMIT_NOFILE, &all);
    assert_true(answered);
    assert_reply(starved, "200", "3");
    assert_ended(idle);
    close(starved);
    live_end(live);
    (void)state;
}

static void *stop_soon(void *arg)
{
    usleep(100000);
    http_server_stop(((Live *)arg)->server);
    return NULL;
}

static void draining_finishes_what_is_in_flight(void **state)
{
    Live *live = live_default();
    unsigned port = http_server_port(live->server);
    int idle = client(live), busy = client(live);
    say(idle, GET("/?x"));
    assert_reply(idle, "200", "x");
    say(busy, GET("/hold"));
    HttpRequest *request = wait_held(live);
    pthread_t stopper;
    pthread_create(&stopper, NULL, stop_soon, live);
    pthread_join(stopper, NULL);
    assert_ended(idle); /* the drain has begun */
    assert_int_equal(try_connect(port), -1);
    http_reply(request, 200, NULL, 0, STR("done"));
    const char *reply = hear_reply(busy, false);
    assert_string_equal(body_of(reply), "done");
    assert_non_null(strstr(reply, "\r\nconnection: close\r\n"));
    assert_ended(busy);
    live_end(live);
    (void)state;
}

static void draining_ends_in_time_and_late_replies_are_harmless(void **state)
{
    HttpConfig config = live_config(NULL);
    Live *live = live_start(&config, 0.1);
    int busy = client(live);
    say(busy, GET("/hold"));
    HttpRequest *request = wait_held(live);
    live_end(live); /* which returns although nobody has answered */
    assert_ended(busy);
    http_reply(request, 200, NULL, 0, STR("far too late"));
    (void)state;
}

static void a_port_in_use_is_told(void **state)
{
    Live *live = live_default();
    HttpConfig config = live_config(NULL);
    config.port = http_server_port(live->server);
    Error error = { 0 };
    char expected[80];
    assert_null(http_server_new(&config, &error));
    snprintf(expected, sizeof expected, "Port %u on 127.0.0.1 is already in use.", config.port);
    assert_string_equal(error.message, expected);
    error = (Error){ 0 };
    config.port = 65536;
    assert_null(http_server_new(&config, &error));
    assert_string_equal(error.message, "65536 is not a port: the largest one is 65535.");
    error = (Error){ 0 };
    config.port = 0;
    config.host = "host.invalid";
    assert_null(http_server_new(&config, &error));
    assert_non_null(strstr(error.message, "host.invalid"));
    live_end(live);
    (void)state;
}

static void a_host_may_be_a_name(void **state)
{
    HttpConfig config = live_config(NULL);
    config.host = "localhost";
    Live *live = live_start(&config, 5);
    int fd = client(live);
    say(fd, GET("/?name"));
    assert_reply(fd, "200", "name");
    close(fd);
    live_end(live);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_has_its_headers_in_order),
        cmocka_unit_test(head_and_204_have_no_body),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(a_request_may_come_byte_by_byte),
        cmocka_unit_test(http_10_closes_unless_asked),
        cmocka_unit_test(a_client_that_expects_is_told_to_continue),
        cmocka_unit_test(refusals_end_the_connection),
        cmocka_unit_test(replies_have_the_id_of_their_request),
        cmocka_unit_test(large_heads_are_refused),
        cmocka_unit_test(a_refused_body_does_not_reset_the_connection),
        cmocka_unit_test(large_bodies_pass_both_ways),
        cmocka_unit_test(idle_and_slow_clients_are_let_go),
        cmocka_unit_test(a_client_may_leave_before_its_reply),
        cmocka_unit_test(a_closed_connection_is_not_watched),
        cmocka_unit_test(who_has_waited_longest_makes_room),
        cmocka_unit_test(what_is_worked_on_makes_no_room),
        cmocka_unit_test(a_client_that_reads_makes_no_room),
        cmocka_unit_test(a_costly_reply_is_not_given_up),
        cmocka_unit_test(replies_that_nobody_takes_are_given_up),
        cmocka_unit_test(a_body_that_comes_at_the_least_rate_is_taken),
        cmocka_unit_test(bodies_that_linger_make_room_for_others),
        cmocka_unit_test(running_out_of_descriptors_passes),
        cmocka_unit_test(draining_finishes_what_is_in_flight),
        cmocka_unit_test(draining_ends_in_time_and_late_replies_are_harmless),
        cmocka_unit_test(a_port_in_use_is_told),
        cmocka_unit_test(a_host_may_be_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
