/* What every part of the load client stands on: the clock, the way out, sockets, byte buffers, tallies. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

_Noreturn void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    exit(3);
}

/* `from`: last two octets of the source address 127.0.x.y, 0 for the usual one.
 * A connection that is going to stall gets an Ethernet's segment size and a small receive buffer: with loopback's
 * 64 kB segments the kernel alone would swallow megabytes before the server notices anything. */
int dial(int from, int will_stall)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1, segment = 1460, buffer = 4096;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(opt.port), .sin_addr.s_addr = inet_addr(opt.host)};
    if (fd < 0) fail("socket: %s", strerror(errno));
    if (from) {
        struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000 | from)};
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(fd, (void *)&source, sizeof source)) fail("bind: %s", strerror(errno));
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (will_stall) setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    if (will_stall) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    if (connect(fd, (void *)&to, sizeof to) && errno != EINPROGRESS) fail("connect: %s", strerror(errno));
    return fd;
}

void watch(int fd, uint32_t kind, uint32_t index, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.u64 = (uint64_t)kind << 32 | index};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e)) fail("epoll_ctl: %s", strerror(errno));
}

/* The client's own frames and requests are small: a full send buffer is waited for. */
void write_all(int fd, const void *data, size_t n)
{
    for (const char *p = data; n;) {
        ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k >= 0) p += k, n -= k;
        else if (errno == EAGAIN || errno == ENOTCONN) poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 1000);
        else return; /* the end of the connection shows when it is read */
    }
}

void bytes_append(Bytes *b, const char *p, size_t n)
{
    if (b->len + n > b->cap) b->at = realloc(b->at, b->cap = (b->len + n) * 2);
    memcpy(b->at + b->len, p, n);
    b->len += n;
}

void bytes_drop(Bytes *b, size_t n)
{
    b->len -= n;
    memmove(b->at, b->at + n, b->len);
}

void tally_add(Tally *t, uint64_t key)
{
    for (int i = 0; i < 16; i++) {
        if (t->count[i] && t->key[i] != key) continue;
        t->key[i] = key, t->count[i]++;
        return;
    }
}

void tally_print(const char *name, const Tally *t)
{
    printf(",\"%s\":{", name);
    for (int i = 0; i < 16 && t->count[i]; i++)
        printf("%s\"%llu\":%llu", i ? "," : "", (unsigned long long)t->key[i], (unsigned long long)t->count[i]);
    printf("}");
}
