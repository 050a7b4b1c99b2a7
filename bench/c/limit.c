/* limit: the physical limit, as the smallest broadcast server that does the same kernel work as chatd.
 *
 * One thread, epoll, no users, no permissions, no disk: every POST body is framed once and written to every
 * session that has identified; the POST is answered with a minimal 200.
 *
 *   limit [--joined] [--frame BYTES] [--core N]
 *
 * Without --joined each frame is one write() per session: the limit for a server that sends events one at a time.
 * With --joined the frames of all requests that one epoll_wait() found are sent in one write() per session: the
 * limit for a server that joins what waits. Frames are padded to BYTES, the size that chatd's events have.
 *
 * It plays the gateway's part just far enough for the load client: HELLO, READY, one GUILD_CREATE, heartbeat ACK.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_FDS 65536
#define JOIN_BYTES 65536 /* what is joined into one write at most */

typedef enum { HTTP, GATEWAY, SUBSCRIBED } Kind;
typedef struct { Kind kind; int place; size_t length; char *in; } Peer; /* in: bytes of an incomplete request or frame */

static Peer peers[MAX_FDS];
static int subscribers[MAX_FDS], n_subscribers;
static char out[2 * JOIN_BYTES];
static size_t out_length;
static int joined, frame_bytes = 600;
static unsigned sequence = 2; /* READY and GUILD_CREATE were 1 and 2 */

static void write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t k = write(fd, p, n);
        if (k >= 0) p += k, n -= k;
        else if (errno == EAGAIN) poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 100);
        else return;
    }
}

static size_t frame_head(char *to, size_t n)
{
    to[0] = (char)0x81;
    if (n < 126) return to[1] = n, 2;
    to[1] = 126, to[2] = n >> 8, to[3] = n;
    return 4;
}

static void send_text(int fd, const char *text)
{
    char frame[512];
    size_t n = strlen(text), head = frame_head(frame, n);
    memcpy(frame + head, text, n);
    write_all(fd, frame, head + n);
}

static void flush_frames(void)
{
    for (int i = 0; i < n_subscribers && out_length; i++) write_all(subscribers[i], out, out_length);
    out_length = 0;
}

/* {"t":"MESSAGE_CREATE","s":N,"op":0,"d":{"pad":"xx…","content":"…"}} of frame_bytes; body is {"content":"…"} */
static void publish(const char *body, size_t n)
{
    char head[128];
    int k = snprintf(head, sizeof head, "{\"t\":\"MESSAGE_CREATE\",\"s\":%u,\"op\":0,\"d\":{\"pad\":\"", ++sequence);
    int fixed = k + 2 + (int)n - 1 + 1, pad = frame_bytes > fixed ? frame_bytes - fixed : 0;
    char *to = out + out_length;
    to += frame_head(to, fixed + pad);
    to = mempcpy(to, head, k);
    to = (char *)memset(to, 'x', pad) + pad;
    to = mempcpy(to, "\",", 2);
    to = mempcpy(to, body + 1, n - 1);
    *to++ = '}';
    out_length = to - out;
    if (!joined || out_length > JOIN_BYTES) flush_frames();
}

static void leave(int fd)
{
    Peer *p = &peers[fd];
    if (p->kind == SUBSCRIBED) {
        subscribers[p->place] = subscribers[--n_subscribers];
        peers[subscribers[p->place]].place = p->place;
    }
    free(p->in);
    *p = (Peer){0};
    close(fd);
}

/* A complete request at the start of data? Serve it and return its length. */
static size_t serve_http(int fd, const char *data, size_t n)
{
    static const char accepted[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"; /* for the client's fixed key */
    static const char done[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{\"id\":\"1\"}";
    const char *end = memmem(data, n, "\r\n\r\n", 4), *length;
    if (!end) return 0;
    size_t head = end + 4 - data, body = 0;
    if (!memcmp(data, "GET", 3)) {
        peers[fd].kind = GATEWAY;
        write_all(fd, accepted, sizeof accepted - 1);
        send_text(fd, "{\"t\":null,\"s\":null,\"op\":10,\"d\":{\"heartbeat_interval\":41250}}");
        return head;
    }
    if ((length = memmem(data, head, "Content-Length: ", 16))) body = strtoul(length + 16, NULL, 10);
    if (n < head + body) return 0;
    write_all(fd, done, sizeof done - 1); /* first the answer: the next request can come while this one is sent out */
    publish(data + head, body);
    return head + body;
}

static size_t serve_frame(int fd, const unsigned char *data, size_t n)
{
    if (n < 6) return 0;
    size_t length = data[1] & 127, head = 6;
    if (length == 126) length = data[2] << 8 | data[3], head = 8;
    if (n < head + length) return 0;
    char text[64];
    size_t k = length < sizeof text - 1 ? length : sizeof text - 1;
    for (size_t i = 0; i < k; i++) text[i] = data[head + i] ^ data[head - 4 + (i & 3)];
    text[k] = 0;
    if ((data[0] & 15) == 8) {
        shutdown(fd, SHUT_RDWR); /* its end is read next */
    } else if (strstr(text, "\"op\":2")) {
        send_text(fd, "{\"t\":\"READY\",\"s\":1,\"op\":0,\"d\":{\"session_id\":\"limit\"}}");
        send_text(fd, "{\"t\":\"GUILD_CREATE\",\"s\":2,\"op\":0,\"d\":{}}");
        peers[fd].kind = SUBSCRIBED;
        peers[fd].place = n_subscribers;
        subscribers[n_subscribers++] = fd;
    } else if (strstr(text, "\"op\":1")) {
        send_text(fd, "{\"t\":null,\"s\":null,\"op\":11,\"d\":null}");
    }
    return head + length;
}

static void readable(int fd)
{
    static char in[1 << 17];
    Peer *p = &peers[fd];
    if (p->length) memcpy(in, p->in, p->length);
    ssize_t r = read(fd, in + p->length, sizeof in - p->length);
    if (r <= 0) {
        if (r == 0 || errno != EAGAIN) leave(fd);
        return;
    }
    size_t n = p->length + r, at = 0, used;
    while ((used = p->kind == HTTP ? serve_http(fd, in + at, n - at) : serve_frame(fd, (unsigned char *)in + at, n - at))) at += used;
    if (n - at > p->length) p->in = realloc(p->in, n - at);
    p->length = n - at;
    if (p->length) memcpy(p->in, in + at, p->length);
}

static void welcome(int listener, int epoll)
{
    int one = 1;
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
    }
}

static int listen_on_free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(fd, (void *)&a, n) || listen(fd, 4096) || getsockname(fd, (void *)&a, &n)) perror("listen"), exit(1);
    printf("limit listening on http://127.0.0.1:%d\n", ntohs(a.sin_port));
    fflush(stdout);
    return fd;
}

static void pin(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    sched_setaffinity(0, sizeof set, &set);
}

int main(int argc, char **argv)
{
    static const struct option known[] = {{"joined", no_argument, &joined, 1}, {"frame", required_argument, NULL, 'f'}, {"core", required_argument, NULL, 'c'}, {0}};
    struct rlimit files;
    for (int o; (o = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (o == '?') return 2;
        if (o == 'f') frame_bytes = atoi(optarg) < JOIN_BYTES ? atoi(optarg) : JOIN_BYTES;
        if (o == 'c') pin(atoi(optarg));
    }
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    int epoll = epoll_create1(0), listener = listen_on_free_port();
    struct epoll_event e = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        int n = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener) welcome(listener, epoll);
            else readable(events[i].data.fd);
        }
        flush_frames();
    }
}
