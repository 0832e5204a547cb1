/* Metrics over HTTP, by real sockets on this machine: good requests and hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those it needs */
#include <cmocka.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cmd/clock.h"
#include "cmd/metrics.h"
#include "harness/metrics.h"

#define PATIENCE_MS 20000
#define HUGE_BYTES ((size_t)1 << 20)

static cm_metrics *metrics;
static cm_histogram latency; /* too large for a stack */
static char answer[65536];
static char huge[HUGE_BYTES];

/* --- A client --------------------------------------------------------------------------------- */

/* -1 where nobody listens. */
static int connect_to(int family, uint16_t port)
{
    struct sockaddr_in v4 = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
    int fd = socket(family, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    int outcome = family == AF_INET ? connect(fd, (struct sockaddr *)&v4, sizeof v4)
                                    : connect(fd, (struct sockaddr *)&v6, sizeof v6);
    if (outcome == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static int visit(void)
{
    int fd = connect_to(AF_INET, cm_metrics_port(metrics));
    assert_true(fd >= 0);
    return fd;
}

/* Send what is taken: the other side may have closed. */
static void put(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = send(fd, bytes, size, MSG_NOSIGNAL);
        if (count <= 0)
            return;
        bytes += count;
        size -= (size_t)count;
    }
}

/* Read to the end, into answer. False where the other side does not end. */
static bool get(int fd)
{
    size_t size = 0;
    ssize_t count = 1;
    while (count > 0 && size < sizeof answer - 1) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        answer[size] = '\0';
        if (poll(&ready, 1, PATIENCE_MS) <= 0)
            return false;
        count = recv(fd, answer + size, sizeof answer - 1 - size, 0);
        size += count > 0 ? (size_t)count : 0;
    }
    answer[size] = '\0';
    (void)close(fd);
    return true;
}

static const char *ask(int family, const char *request)
{
    int fd = connect_to(family, cm_metrics_port(metrics));
    assert_true(fd >= 0);
    put(fd, request, strlen(request));
    assert_true(get(fd));
    return answer;
}

static void expect_answer(const char *request, const char *first_line, const char *part)
{
    (void)ask(AF_INET, request);
    if (strncmp(answer, first_line, strlen(first_line)) != 0 || strstr(answer, part) == NULL)
        fail_msg("%s: %s", request, answer);
}

static void expect_alive(void)
{
    expect_answer("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\n",
                  "\nclickmatch_stream_results_written_total 160\n");
}

static int begin(void **state)
{
    (void)state;
    cm_error error;
    cm_stream_figures figures = cm_test_figures(&latency);
    if (cm_metrics_open(":0", &metrics, &error) != CM_OK)
        return -1;
    return cm_metrics_publish(metrics, &figures, NULL) == CM_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    cm_metrics_close(metrics);
    metrics = NULL;
    return 0;
}

/* --- Good requests ---------------------------------------------------------------------------- */

static void test_the_figures_are_served(void **state)
{
    (void)state;
    expect_alive();
    assert_non_null(
        strstr(answer, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
    const char *body = strstr(answer, "\r\n\r\n");
    assert_non_null(body);
    assert_true(cm_test_exposition_is_good(body + 4, strlen(body + 4)));
}

static void test_what_is_published_last_is_served(void **state)
{
    (void)state;
    cm_stream_figures figures = {.events = {7, 8}};
    assert_int_equal(cm_metrics_publish(metrics, &figures, NULL), CM_OK);
    expect_answer("GET /metrics HTTP/1.0\r\n\r\n", "HTTP/1.", "kind=\"click\"} 7\n");
}

static void test_ipv6_is_served_where_there_is_any(void **state)
{
    (void)state;
    int fd = connect_to(AF_INET6, cm_metrics_port(metrics));
    if (fd < 0)
        skip(); /* no IPv6 here */
    (void)close(fd);
    assert_non_null(strstr(ask(AF_INET6, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), "200 OK"));
}

static void test_other_paths_and_methods(void **state)
{
    (void)state;
    expect_answer("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ", "/metrics\n");
    expect_answer("GET /metrics?x=1 HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ", "build_info");
    expect_answer("GET /metrics/ HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", "/metrics\n");
    expect_answer("GET /../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", "nothing");
    expect_answer("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
                  "HTTP/1.1 405 ", "\r\nAllow: GET, HEAD\r\n");
    expect_answer("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 ", "only GET");
    expect_answer("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ", "version=0.0.4");
    assert_null(strstr(answer, "clickmatch_"));
}

/* --- Hostile ones ----------------------------------------------------------------------------- */

static void test_garbage(void **state)
{
    (void)state;
    static const char *const garbage[] = {"\r\n\r\n", "x\r\n\r\n", "GET\r\n\r\n",
                                          "GET /metrics HTTP/9.9\r\n\r\n",
                                          "\x16\x03\x01\x02\x00\r\n"};
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        int fd = visit();
        put(fd, garbage[i], strlen(garbage[i]));
        (void)shutdown(fd, SHUT_WR);
        assert_true(get(fd));
        assert_null(strstr(answer, "clickmatch_"));
    }
    int fd = visit();
    memset(huge, 0, sizeof huge);
    put(fd, huge, sizeof huge);
    assert_true(get(fd));
    expect_alive();
}

static void test_huge_requests(void **state)
{
    (void)state;
    static const char *const starts[] = {
        "GET /",
        "GET /metrics HTTP/1.1\r\nHost: x\r\nX: ",
        "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n",
    };
    memset(huge, 'a', sizeof huge);
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        int fd = visit();
        put(fd, starts[i], strlen(starts[i]));
        put(fd, huge, sizeof huge);
        assert_true(get(fd));
        assert_null(strstr(answer, "clickmatch_"));
    }
    expect_alive();
}

static void test_clients_that_leave(void **state)
{
    (void)state;
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    struct linger at_once = {.l_onoff = 1};
    for (int i = 0; i < 200; i++) {
        int fd = visit();
        put(fd, request, (size_t)i % sizeof request);
        if (i % 2 == 0)
            (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        (void)close(fd);
    }
    expect_alive();
}

/* More than may be open at once: the others wait, and are served when the silent are dropped. */
static void test_many_silent_connections(void **state)
{
    (void)state;
    int fds[24];
    for (size_t i = 0; i < 24; i++)
        fds[i] = connect_to(AF_INET, cm_metrics_port(metrics));
    double began = cm_clock_seconds();
    expect_alive();
    assert_true(cm_clock_seconds() - began < 12);
    for (size_t i = 0; i < 24; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
}

/* A byte now and then keeps no connection open for ever. */
static void test_a_slow_client(void **state)
{
    (void)state;
    cm_stream_figures figures = {.events = {1, 1}};
    struct timespec pause = {.tv_nsec = 250000000};
    int fd = visit();
    double began = cm_clock_seconds();
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    put(fd, "GET /metrics HTTP/1.1\r\nX: ", 26);
    while (poll(&ready, 1, 0) == 0 && cm_clock_seconds() - began < 20) {
        put(fd, "a", 1);
        assert_int_equal(cm_metrics_publish(metrics, &figures, NULL), CM_OK);
        nanosleep(&pause, NULL);
    }
    double lasted = cm_clock_seconds() - began;
    assert_true(lasted > 4 && lasted < 12);
    assert_true(get(fd));
    assert_null(strstr(answer, "clickmatch_"));
}

static void test_ending_with_connections_open(void **state)
{
    (void)state;
    int fd = visit();
    put(fd, "GET /met", 8);
    cm_metrics_close(metrics);
    metrics = NULL;
    assert_true(get(fd));
}

/* --- Addresses -------------------------------------------------------------------------------- */

static cm_metrics *open_at(const char *target)
{
    cm_metrics *made = NULL;
    cm_error error = {0};
    if (cm_metrics_open(target, &made, &error) != CM_OK)
        fail_msg("%s", error.message);
    return made;
}

static void test_places(void **state)
{
    (void)state;
    static const char *const targets[] = {"127.0.0.1:0", "localhost:0", "0.0.0.0:0"};
    char wanted[64];
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        cm_metrics *other = open_at(targets[i]);
        (void)snprintf(wanted, sizeof wanted, "http://%.*s:%u/metrics", (int)strlen(targets[i]) - 2,
                       targets[i], cm_metrics_port(other));
        assert_string_equal(cm_metrics_place(other), wanted);
        int fd = connect_to(AF_INET, cm_metrics_port(other));
        assert_true(fd >= 0);
        (void)close(fd);
        cm_metrics_close(other);
    }
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    bool has_v6 = fd >= 0 && bind(fd, (struct sockaddr *)&loopback, sizeof loopback) == 0;
    if (fd >= 0)
        (void)close(fd);
    if (!has_v6)
        return;
    cm_metrics *other = open_at("[::1]:0");
    assert_non_null(strstr(cm_metrics_place(other), "http://[::1]:"));
    cm_metrics_close(other);
}

static void expect_refused(const char *target, const char *start, const char *part)
{
    cm_metrics *made = NULL;
    cm_error error = {0};
    assert_int_equal(cm_metrics_open(target, &made, &error), CM_ERROR_IO);
    assert_null(made);
    if (strncmp(error.message, start, strlen(start)) != 0 || strstr(error.message, part) == NULL)
        fail_msg("%s", error.message);
}

static void test_a_busy_port(void **state)
{
    (void)state;
    char target[32], start[64];
    uint16_t port = cm_metrics_port(metrics);
    (void)snprintf(target, sizeof target, ":%u", port);
    (void)snprintf(start, sizeof start, "127.0.0.1:%u: cannot listen", port);
    expect_refused(target, start, "choose another port");
    /* And it is free again at once, though connections of it linger. */
    expect_alive();
    cm_metrics_close(metrics);
    metrics = open_at(target);
    assert_int_equal(cm_metrics_port(metrics), port);
}

static void test_addresses_of_others(void **state)
{
    (void)state;
    expect_refused("192.0.2.1:0", "192.0.2.1:0: cannot listen", "address of this machine");
    expect_refused("no-such-host.invalid:9464",
                   "--metrics: cannot find no-such-host.invalid: ", "address of this machine");
}

/* Signals stay with the threads that were there before: with this one blocking them, a signal to
 * the process waits. */
static void test_signals_are_left_to_the_program(void **state)
{
    (void)state;
    sigset_t set, before, waiting;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &set, &before), 0);
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    expect_alive();
    assert_int_equal(sigpending(&waiting), 0);
    assert_int_equal(sigismember(&waiting, SIGUSR1), 1);
    int number;
    assert_int_equal(sigwait(&set, &number), 0);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    /* and this thread's own mask is as it was */
    assert_int_equal(sigismember(&before, SIGTERM), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(test_the_figures_are_served),
        CASE(test_what_is_published_last_is_served),
        CASE(test_ipv6_is_served_where_there_is_any),
        CASE(test_other_paths_and_methods),
        CASE(test_garbage),
        CASE(test_huge_requests),
        CASE(test_clients_that_leave),
        CASE(test_many_silent_connections),
        CASE(test_a_slow_client),
        CASE(test_ending_with_connections_open),
        CASE(test_places),
        CASE(test_a_busy_port),
        CASE(test_addresses_of_others),
        CASE(test_signals_are_left_to_the_program),
    };
    return cmocka_run_group_tests_name("metrics_http", tests, NULL, NULL);
}
