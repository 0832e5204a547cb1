#include "cmd/metrics_http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/clock.h"
#include "util/error.h"

#define ADDRESSES_MAX 4
#define CONNECTIONS_MAX 16 /* an address */
#define CONNECTION_BYTES ((size_t)8192)
#define SILENT_SECONDS 3
#define OPEN_SECONDS 5.0 /* whatever it sends; the library only knows silence */
#define PLACE_BYTES 320

/* An open connection. */
typedef struct visitor {
    int fd; /* -1: none */
    double since_seconds;
} visitor;

struct cm_metrics_http {
    cm_metrics_render render;
    void *context;
    struct MHD_Daemon *daemons[ADDRESSES_MAX];
    size_t daemon_count;
    uint16_t port;
    pthread_mutex_t mutex; /* of the visitors */
    visitor visitors[ADDRESSES_MAX * CONNECTIONS_MAX];
};

/* --- Answers ---------------------------------------------------------------------------------- */

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned code, const char *type,
                              struct MHD_Response *response)
{
    if (response == NULL)
        return MHD_NO; /* memory is short: the connection is closed */
    enum MHD_Result outcome = MHD_NO;
    if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES &&
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES &&
        (code != MHD_HTTP_METHOD_NOT_ALLOWED ||
         MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD") == MHD_YES))
        outcome = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return outcome;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned code,
                                   const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL)
        return MHD_NO;
    return answer(connection, code, "text/plain; charset=utf-8",
                  MHD_create_response_from_buffer(strlen(copy), copy, MHD_RESPMEM_MUST_FREE));
}

static enum MHD_Result answer_metrics(const cm_metrics_http *http,
                                      struct MHD_Connection *connection)
{
    cm_buffer text = {0};
    http->render(http->context, &text);
    if (text.failed) {
        cm_buffer_destroy(&text);
        return MHD_NO;
    }
    return answer(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
                  MHD_create_response_from_buffer(text.size, text.data, MHD_RESPMEM_MUST_FREE));
}

static enum MHD_Result take_request(void *context, struct MHD_Connection *connection,
                                    const char *path, const char *method, const char *version,
                                    const char *upload, size_t *upload_size, void **state)
{
    (void)version;
    (void)upload;
    (void)upload_size;
    (void)state;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
    if (strcmp(path, "/metrics") == 0)
        return answer_metrics(context, connection);
    if (strcmp(path, "/") == 0)
        return answer_text(connection, MHD_HTTP_OK, "clickmatch: figures are at /metrics\n");
    return answer_text(connection, MHD_HTTP_NOT_FOUND, "nothing here; figures are at /metrics\n");
}

/* --- Visitors --------------------------------------------------------------------------------- */

static void visit_begin(cm_metrics_http *http, struct MHD_Connection *connection, void **place)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *place = NULL;
    for (size_t i = 0; info != NULL && i < ADDRESSES_MAX * CONNECTIONS_MAX; i++)
        if (http->visitors[i].fd < 0) {
            http->visitors[i] = (visitor){info->connect_fd, cm_clock_seconds()};
            *place = &http->visitors[i];
            return;
        }
}

/* The library calls this before it closes the descriptor, so that it is still this visitor's. */
static void take_notice(void *context, struct MHD_Connection *connection, void **place,
                        enum MHD_ConnectionNotificationCode code)
{
    cm_metrics_http *http = context;
    (void)pthread_mutex_lock(&http->mutex);
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        visit_begin(http, connection, place);
    else if (*place != NULL)
        ((visitor *)*place)->fd = -1;
    (void)pthread_mutex_unlock(&http->mutex);
}

void cm_metrics_http_tend(cm_metrics_http *http)
{
    double now = cm_clock_seconds();
    (void)pthread_mutex_lock(&http->mutex);
    for (size_t i = 0; i < ADDRESSES_MAX * CONNECTIONS_MAX; i++)
        if (http->visitors[i].fd >= 0 && now - http->visitors[i].since_seconds > OPEN_SECONDS)
            (void)shutdown(http->visitors[i].fd, SHUT_RDWR);
    (void)pthread_mutex_unlock(&http->mutex);
}

/* --- Listening -------------------------------------------------------------------------------- */

/* 127.0.0.1:9464, [::1]:9464 */
static void name_place(const struct addrinfo *address, uint16_t port, char place[PLACE_BYTES])
{
    char host[256];
    if (getnameinfo(address->ai_addr, address->ai_addrlen, host, sizeof host, NULL, 0,
                    NI_NUMERICHOST) != 0)
        (void)snprintf(host, sizeof host, "?");
    (void)snprintf(place, PLACE_BYTES, address->ai_family == AF_INET6 ? "[%s]:%u" : "%s:%u", host,
                   port);
}

static cm_status listen_trouble(const char *place, int number, cm_error *error)
{
    char text[128];
    const char *remedy = "check --metrics";
    if (number == EADDRINUSE)
        remedy = "end the program that listens there (ss -ltnp names it) or choose another port";
    else if (number == EACCES)
        remedy = "choose a port above 1023";
    else if (number == EADDRNOTAVAIL)
        remedy = "name an address of this machine";
    return cm_error_set(error, CM_ERROR_IO, "%s: cannot listen for --metrics: %s; %s", place,
                        strerror_r(number, text, sizeof text), remedy);
}

static void set_port(struct sockaddr *address, uint16_t port)
{
    if (address->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)address)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)(void *)address)->sin_port = htons(port);
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &size) != 0)
        return 0;
    return ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&bound)->sin6_port
                                             : ((struct sockaddr_in *)(void *)&bound)->sin_port);
}

/* A listening socket; -1 with errno. A port is free again at once after a restart. */
static int listen_at(const struct addrinfo *address)
{
    int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    int number = errno;
    (void)close(fd);
    errno = number;
    return -1;
}

/* Serve a listening socket, which goes over to the daemon. Signals are for the program's own. */
static bool serve(cm_metrics_http *http, int fd)
{
    sigset_t all, before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    struct MHD_Daemon *made = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, take_request, http,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENT_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        CONNECTION_BYTES, MHD_OPTION_NOTIFY_CONNECTION, take_notice, http, MHD_OPTION_END);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (made != NULL)
        http->daemons[http->daemon_count++] = made;
    return made != NULL;
}

/* What one address came to. */
typedef enum listening { LISTENING, NO_SUCH_ADDRESS, LISTEN_FAILED } listening;

static listening open_address(cm_metrics_http *http, const struct addrinfo *address,
                              bool is_port_picked, cm_error *error)
{
    char place[PLACE_BYTES];
    set_port(address->ai_addr, http->port);
    int fd = listen_at(address);
    if (fd < 0) {
        int number = errno;
        name_place(address, http->port, place);
        (void)listen_trouble(place, number, error);
        bool is_missing = number == EADDRNOTAVAIL || number == EAFNOSUPPORT;
        return is_missing || (number == EADDRINUSE && is_port_picked) ? NO_SUCH_ADDRESS
                                                                      : LISTEN_FAILED;
    }
    if (http->port == 0)
        http->port = port_of(fd);
    if (serve(http, fd))
        return LISTENING;
    /* The library does not say whether it has closed the socket: it goes with the program. */
    (void)cm_error_memory(error, "the HTTP server of --metrics", CONNECTION_BYTES);
    return LISTEN_FAILED;
}

/* All addresses of a host. Those that this machine does not have are left out, if there are others:
 * "localhost" may name ::1 where there is no IPv6. */
static cm_status open_host(cm_metrics_http *http, const char *host, bool is_port_picked,
                           cm_error *error)
{
    struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    cm_error local = {.code = CM_OK};
    int number = getaddrinfo(host, NULL, &wanted, &found);
    if (number != 0)
        return cm_error_set(error, CM_ERROR_IO,
                            "--metrics: cannot find %s: %s; name an address of this machine", host,
                            gai_strerror(number));
    listening outcome = LISTENING;
    for (struct addrinfo *at = found; at != NULL && outcome != LISTEN_FAILED; at = at->ai_next)
        if (http->daemon_count < ADDRESSES_MAX)
            outcome = open_address(http, at, is_port_picked, &local);
    freeaddrinfo(found);
    if (outcome != LISTEN_FAILED && http->daemon_count > 0)
        return CM_OK;
    if (error != NULL)
        *error = local;
    return local.code;
}

cm_status cm_metrics_http_open(const char *host, uint16_t port, cm_metrics_render render,
                               void *context, cm_metrics_http **http, cm_error *error)
{
    cm_metrics_http *made = calloc(1, sizeof *made);
    if (made == NULL)
        return cm_error_memory(error, "the HTTP server of --metrics", sizeof *made);
    made->render = render;
    made->context = context;
    made->port = port;
    for (size_t i = 0; i < ADDRESSES_MAX * CONNECTIONS_MAX; i++)
        made->visitors[i].fd = -1;
    if (pthread_mutex_init(&made->mutex, NULL) != 0) {
        free(made);
        return cm_error_memory(error, "a lock", sizeof made->mutex);
    }
    cm_status status = open_host(made, host == NULL ? "127.0.0.1" : host, port == 0, error);
    if (status == CM_OK && host == NULL)
        status = open_host(made, "::1", port == 0, error);
    if (status == CM_OK)
        *http = made;
    else
        cm_metrics_http_close(made);
    return status;
}

uint16_t cm_metrics_http_port(const cm_metrics_http *http)
{
    return http->port;
}

void cm_metrics_http_close(cm_metrics_http *http)
{
    if (http == NULL)
        return;
    for (size_t i = 0; i < http->daemon_count; i++)
        MHD_stop_daemon(http->daemons[i]);
    (void)pthread_mutex_destroy(&http->mutex);
    free(http);
}
