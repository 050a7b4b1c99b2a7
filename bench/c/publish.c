/* Publishers: HTTP/1.1 keep-alive connections with one request in flight each.
 *
 * In a closed loop a message is in flight until it is answered and delivered to every checked session, so that
 * a server gains nothing by answering early, and the limit and the server under test see the same load.
 * With --answered, and on a schedule (--rate), only the answer is waited for.
 *
 * A publisher numbers its messages and sends the next number only when the last one was accepted. A refused
 * message is sent again under the same number: had the server delivered it nevertheless, the checker would see
 * it doubled. With another method than POST the requests carry no body and nothing is delivered (page reads).
 *
 * With --mix every so many'th message is edited and then deleted, each as a request of its own. What was edited has no
 * stamp: its events are only counted, by `s`.
 */
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { ANSWER = 1, DELIVERY = 2 };

typedef struct {
    int fd, waiting; /* for which of these */
    enum { POST, EDIT, DELETE } next; /* with --mix: the latter two of what was posted last */
    char message[24], *target; /* its id, and where it was posted */
    uint32_t sent; /* numbers accepted */
    uint64_t due, requested, requests, pause_until;
    Bytes in;
    uint32_t *pending; /* by number: how many sessions the message has yet to reach */
    size_t pending_room;
} Publisher;

PublishTotals published;
static Publisher *publishers;
static int unanswered, in_flight, next_idle, receivers;
static uint64_t schedule_start, scheduled, every_ns;
static char *filler;

#define REFUSED_AT_MOST 1000
#define DELIVERY_NS 5000000000ull /* a message that takes longer no longer holds back the next; it shows as lost */

static void connect_publisher(int index)
{
    publishers[index].fd = dial(0, 0);
    publishers[index].in.len = 0;
    watch(publishers[index].fd, EVENT_HTTP, index, EPOLLIN);
}

void publish_connect(void)
{
    for (int i = 0; i < opt.publishers; i++) connect_publisher(i);
}

void publish_open(void)
{
    publishers = calloc(opt.publishers + 1, sizeof *publishers);
    int room = opt.content_bytes > STAMP_LENGTH ? opt.content_bytes - STAMP_LENGTH : 0;
    filler = memset(calloc(room + 1, 1), 'x', room);
    if (opt.targets) publish_connect();
}

/* Start a schedule of so many messages per second (0: as fast as answers come). */
void publish_schedule(double per_s)
{
    schedule_start = now_ns();
    scheduled = 0;
    every_ns = per_s > 0 ? 1e9 / per_s : 0;
    receivers = sessions_receivers();
}

static void expect(Publisher *p)
{
    if (p->sent >= p->pending_room) {
        p->pending_room = (p->pending_room + 1024) * 2;
        p->pending = realloc(p->pending, p->pending_room * sizeof *p->pending);
    }
    p->pending[p->sent] = receivers;
}

static void request(Publisher *p, uint64_t due)
{
    char body[8192] = "", text[12288];
    const char *const methods[] = {opt.method, "PATCH", "DELETE"};
    uint64_t turn = (p - publishers) + p->requests++ * opt.publishers;
    if (p->next == POST) p->target = opt.targets[turn % opt.n_targets];
    char *token = strchr(p->target, '\t');
    int body_length = 0, delivered = 0;
    if (p->next == EDIT) {
        body_length = snprintf(body, sizeof body, "{\"content\":\"edited%s\"}", filler);
    } else if (p->next == POST && !strcmp(opt.method, "POST")) {
        delivered = receivers && !every_ns && !opt.answered;
        body_length = snprintf(body, sizeof body, "{\"content\":\"" STAMP_FORMAT "%s\"}", (unsigned)(p - publishers), p->sent,
                               (unsigned long long)due, filler);
        expect(p);
    }
    int n = snprintf(text, sizeof text,
                     "%s %.*s%s%s HTTP/1.1\r\nHost: %s:%d\r\nAuthorization: %s\r\n"
                     "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                     methods[p->next], (int)(token - p->target), p->target, p->next == POST ? "" : "/",
                     p->next == POST ? "" : p->message, opt.host, opt.port, token + 1, body_length, body);
    p->due = due, p->requested = now_ns();
    p->waiting = ANSWER | (delivered ? DELIVERY : 0);
    unanswered++, in_flight++;
    write_all(p->fd, text, n);
}

static void done(Publisher *p, int what)
{
    if (p->waiting & what & ANSWER) unanswered--;
    if (p->waiting && !(p->waiting &= ~what)) in_flight--;
}

void publish_disconnect(void)
{
    for (int i = 0; i < opt.publishers; i++) close(publishers[i].fd), done(&publishers[i], DELIVERY);
}

static Publisher *idle_publisher(uint64_t now)
{
    for (int i = 0; i < opt.publishers; i++) {
        Publisher *p = &publishers[next_idle++ % opt.publishers];
        if (p->waiting == DELIVERY && now - p->requested > DELIVERY_NS) done(p, DELIVERY);
        if (!p->waiting && now >= p->pause_until) return p;
    }
    return NULL;
}

/* Send what is due, until `limit` messages in all were accepted or are on their way. */
void publish_more(uint64_t limit)
{
    for (;;) {
        uint64_t now = now_ns(), due = every_ns ? schedule_start + scheduled * every_ns : now;
        if (due > now || published.accepted + unanswered >= limit) return;
        Publisher *p = every_ns || in_flight < opt.in_flight ? idle_publisher(now) : NULL;
        if (!p) return; /* a message that waits for a connection keeps its due time: the wait is latency */
        scheduled++;
        request(p, due);
    }
}

/* Every --mix'th message that was posted is edited, then deleted. */
static void choose_next(Publisher *p)
{
    static const char before_id[] = "\r\n\r\n{\"id\":\"";
    if (p->next != POST || !opt.mix || p->sent % opt.mix) {
        p->next = p->next == EDIT ? DELETE : POST;
        return;
    }
    char *id = memmem(p->in.at, p->in.len, before_id, sizeof before_id - 1);
    if (!id) fail("an answer to a post without an id: %.*s", (int)p->in.len, p->in.at);
    snprintf(p->message, sizeof p->message, "%llu", strtoull(id + sizeof before_id - 1, NULL, 10));
    p->next = EDIT;
}

static void answered(Publisher *p, int status)
{
    uint64_t now = now_ns();
    done(p, ANSWER);
    tally_add(&published.statuses, status);
    if (status / 100 == 2) {
        p->sent += p->next == POST, published.accepted++;
        if (p->due >= window_start && p->due < window_end) hist_add(&published.post, now - p->due);
        choose_next(p);
        return;
    }
    if (published.refused++ < 2) fprintf(stderr, "request refused: %.*s\n", (int)p->in.len, p->in.at);
    if (published.refused > REFUSED_AT_MOST) fail("more than %d requests refused", REFUSED_AT_MOST);
    done(p, DELIVERY); /* there will be none */
    p->pause_until = now + 100000000;
}

/* Length of the complete answer in the buffer, 0 if more must come. */
static size_t answer_length(Bytes *in)
{
    char *end = memmem(in->at, in->len, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = end + 4 - in->at;
    *end = 0; /* header searches stop here */
    char *length = strcasestr(in->at, "\r\ncontent-length:"), *chunked = strcasestr(in->at, "\r\ntransfer-encoding: chunked");
    *end = '\r';
    if (length) {
        head += strtoul(length + 17, NULL, 10);
        return in->len >= head ? head : 0;
    }
    if (!chunked) return head;
    return in->len >= head + 5 && !memcmp(in->at + in->len - 5, "0\r\n\r\n", 5) ? in->len : 0;
}

void publish_readable(int index)
{
    static char chunk[1 << 16];
    Publisher *p = &publishers[index];
    ssize_t n = read(p->fd, chunk, sizeof chunk);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
        if (p->waiting & ANSWER) fail("the server cut an HTTP connection without answering");
        close(p->fd);
        connect_publisher(index);
        return;
    }
    bytes_append(&p->in, chunk, n);
    size_t length = answer_length(&p->in);
    if (!length) return;
    if (!(p->waiting & ANSWER)) fail("an HTTP answer without a request: %.*s", (int)p->in.len, p->in.at);
    answered(p, atoi(p->in.at + 9));
    bytes_drop(&p->in, length);
}

int publish_unanswered(void) { return unanswered; }

uint32_t publish_sent(int publisher) { return publishers[publisher].sent; }

int publish_delivered(uint32_t publisher, uint32_t seq)
{
    Publisher *p = &publishers[publisher];
    if (seq >= p->pending_room || seq > p->sent || !p->pending[seq] || --p->pending[seq]) return 0;
    done(p, DELIVERY);
    return 1;
}
