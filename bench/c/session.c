/* Gateway sessions: dial, handshake, IDENTIFY or RESUME, heartbeats, and the verdict about every delivery.
 *
 * A session outlives its socket: after a cut it comes back with RESUME and its tracks go on where they were.
 * Sessions beyond --inflate on a compressed gateway are inflated until they are ready and then only counted,
 * because inflating all of them would make the client the bottleneck.
 */
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_ADDRESS 0x0101 /* 127.0.1.1 */
#define PER_ADDRESS 500      /* sessions: servers bound the connections of one client address */

enum { OFF, DIALLING, UPGRADING, OPEN, GREETED, READY };

typedef struct {
    int fd, state, guilds, counted_only, stalled, was_stalled;
    uint32_t s, marker_at;
    char id[64];
    uint64_t dialled, identified, beat_at, beat_ns, beaten, ask_at, asked; /* 0: nothing is unanswered */
    long chunk;
    uint64_t order; /* rolling hash over (publisher, number) */
    uint64_t messages, beats; /* since it is ready */
    Bytes in;
    Inflater *inflater;
    Track *tracks;
    Verdict verdict;
} Session;

SessionTotals totals;
static Session *sessions;
static char chunk[1 << 18];
static int letting_go;

/* -- outgoing ------------------------------------------------------------------------------------ */

static void send_text(Session *c, const char *text, size_t n)
{
    static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d}; /* RFC 6455's example; secrecy is no matter here */
    unsigned char frame[1024] = {0x81};
    size_t head = 2;
    if (n > sizeof frame - 8) fail("client frame too long");
    if (n < 126) frame[1] = 0x80 | n;
    else frame[1] = 0x80 | 126, frame[2] = n >> 8, frame[3] = n, head = 4;
    memcpy(frame + head, mask, 4);
    for (size_t i = 0; i < n; i++) frame[head + 4 + i] = text[i] ^ mask[i & 3];
    write_all(c->fd, frame, head + 4 + n);
}

static const char *token_of(const Session *c) { return opt.tokens[(c - sessions) % opt.n_tokens]; }

static void log_in(Session *c, uint64_t now)
{
    char text[900];
    int n = c->id[0] ? snprintf(text, sizeof text, "{\"op\":6,\"d\":{\"token\":\"%s\",\"session_id\":\"%s\",\"seq\":%u}}",
                                token_of(c), c->id, c->s)
                     : snprintf(text, sizeof text, "{\"op\":2,\"d\":{\"token\":\"%s\",\"intents\":%d,\"properties\":{}}}",
                                token_of(c), opt.intents);
    c->identified = now;
    send_text(c, text, n);
}

static void beat(Session *c, uint64_t now)
{
    char text[64];
    int n = c->s ? snprintf(text, sizeof text, "{\"op\":1,\"d\":%u}", c->s) : snprintf(text, sizeof text, "{\"op\":1,\"d\":null}");
    c->beat_at = now + c->beat_ns;
    c->beaten = now;
    c->beats++;
    send_text(c, text, n);
}

/* Request Guild Members (op 8): all of them. */
static void ask(Session *c, uint64_t now)
{
    char text[128];
    int n = snprintf(text, sizeof text, "{\"op\":8,\"d\":{\"guild_id\":\"%s\",\"query\":\"\",\"limit\":0}}", opt.ask);
    c->ask_at = now + opt.ask_s * 1e9;
    c->asked = now, c->chunk = 0;
    totals.asked++;
    send_text(c, text, n);
}

/* -- life of a session --------------------------------------------------------------------------- */

/* --inflate of all compressed sessions, spread evenly and with the last one among them */
static int sampled(int64_t index) { return (index + 1) * opt.inflate / opt.sessions != index * opt.inflate / opt.sessions; }

static void settle(Session *c)
{
    c->state = READY;
    totals.ready++, totals.unsettled--;
    c->counted_only = c->inflater && !sampled(c - sessions);
    if (c->counted_only) inflater_free(c->inflater), c->inflater = NULL;
    c->messages = c->beats = 0;
    c->ask_at = now_ns() + opt.ask_s * 1e9 * (c - sessions) / opt.sessions; /* one after the other */
}

static void drop(Session *c)
{
    if (c->fd >= 0) close(c->fd);
    if (c->state == READY) totals.ready--;
    else if (c->state != OFF) totals.unsettled--;
    c->fd = -1, c->state = OFF, c->in.len = 0;
    inflater_free(c->inflater), c->inflater = NULL;
}

/* The server ended it. One that had stalled comes back at once, as a client that wakes up does. */
static void ended(Session *c, uint64_t code)
{
    tally_add(&totals.close_codes, code);
    if (letting_go) {
        drop(c);
        return;
    }
    if (c->state != READY)
        fail("the server closed session %d before it was ready (close code %d)", (int)(c - sessions), (int)code);
    drop(c);
    if (!c->was_stalled) {
        totals.closed++;
        return;
    }
    totals.stalled_closed++;
    c->stalled = 0;
    sessions_start(c - sessions);
}

void sessions_start(int index)
{
    Session *c = &sessions[index];
    c->dialled = now_ns();
    c->fd = dial(FIRST_ADDRESS + index / PER_ADDRESS, index >= opt.sessions - opt.stalled && !c->was_stalled);
    c->state = DIALLING, c->guilds = 0;
    if (opt.compress) c->inflater = inflater_new(opt.compress);
    totals.unsettled++;
    watch(c->fd, EVENT_SESSION, index, EPOLLIN | EPOLLOUT);
}

static void upgrade(Session *c)
{
    char text[2048];
    int n = snprintf(text, sizeof text,
                     "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                     opt.path, opt.host, opt.port);
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = (uint64_t)EVENT_SESSION << 32 | (uint32_t)(c - sessions)};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &e);
    write_all(c->fd, text, n);
    c->state = UPGRADING;
}

/* -- incoming ------------------------------------------------------------------------------------ */

static long number_after(const char *p, size_t n, const char *key)
{
    const char *at = memmem(p, n, key, strlen(key));
    return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

/* "s" stands at the head or the tail of a payload, around the shared body */
static long sequence_of(const char *p, size_t n)
{
    long s = number_after(p, n < 64 ? n : 64, "\"s\":");
    return s >= 0 || n <= 64 ? s : number_after(p + n - 64, 64, "\"s\":");
}

static uint64_t digits(const char *p, int n)
{
    uint64_t v = 0;
    while (n--) v = v * 10 + (uint64_t)(*p++ - '0');
    return v;
}

/* The marker stands at the same place in nearly every frame: look there before searching. */
static const char *find_marker(Session *c, const char *p, size_t n)
{
    const size_t mark = sizeof STAMP_MARK - 1;
    if (c->marker_at + STAMP_LENGTH <= n && !memcmp(p + c->marker_at, STAMP_MARK, mark)) return p + c->marker_at;
    const char *at = memmem(p, n, STAMP_MARK, mark);
    if (!at || at + STAMP_LENGTH > p + n) return NULL;
    c->marker_at = at - p;
    return at;
}

static void on_delivery(Session *c, const char *stamp, const char *p, size_t n, uint64_t now)
{
    uint32_t publisher = digits(stamp + 4, 3), seq = digits(stamp + 8, 9);
    uint64_t sent = digits(stamp + 18, 19);
    long s = sequence_of(p, n);
    if (publisher >= (uint32_t)opt.publishers) return; /* another client's message */
    if (s >= 0) {
        totals.s_violations += (uint32_t)s != c->s + 1;
        c->s = s;
    }
    track_see(&c->tracks[publisher], seq, &c->verdict);
    c->order = (c->order ^ ((uint64_t)publisher << 32 | seq)) * 0x9e3779b97f4a7c15ull;
    totals.deliveries++;
    if (c->was_stalled) return;
    int last = publish_delivered(publisher, seq);
    if (sent < window_start || sent >= window_end) return;
    hist_add(&totals.delivery, now - sent);
    if (last) hist_add(&totals.last, now - sent);
}

static void on_ready(Session *c, const char *p, size_t n, uint64_t now)
{
    const char *id = memmem(p, n, "\"session_id\":\"", 14), *end = id ? memchr(id + 14, '"', 64) : NULL;
    if (!end || end - id - 14 >= (int)sizeof c->id) fail("READY without session_id");
    memcpy(c->id, id + 14, end - id - 14);
    c->id[end - id - 14] = 0;
    if (c->guilds >= opt.guilds) hist_add(&totals.identify, now - c->identified), settle(c);
}

static void on_chunk(Session *c, const char *p, size_t n, uint64_t now)
{
    long index = number_after(p, n, "\"chunk_index\":"), count = number_after(p, n, "\"chunk_count\":");
    totals.chunks++;
    totals.misplaced_chunks += !c->asked || index != c->chunk++;
    if (c->chunk < count) return;
    hist_add(&totals.answer, now - c->asked);
    totals.answered++;
    c->asked = 0;
}

static void on_dispatch(Session *c, const char *p, size_t n, uint64_t now)
{
    long s = sequence_of(p, n);
    if (s > 0) {
        /* ephemeral events carry the current number; READY starts the count */
        totals.s_violations += c->s && (uint32_t)s != c->s && (uint32_t)s != c->s + 1;
        c->s = s;
    }
    if (opt.ask && c->state == READY) {
        if (memmem(p, n < 64 ? n : 64, "GUILD_MEMBERS_CHUNK", 19)) on_chunk(c, p, n, now);
        else if (memmem(p, n < 64 ? n : 64, "RATE_LIMITED", 12)) fail("members were asked for more often than the server allows");
    }
    if (c->state != GREETED) return;
    if (memmem(p, n, "\"t\":\"READY\"", 11)) {
        on_ready(c, p, n, now);
    } else if (memmem(p, n, "\"t\":\"GUILD_CREATE\"", 18)) {
        if (++c->guilds == opt.guilds && c->id[0]) hist_add(&totals.identify, now - c->identified), settle(c);
    } else if (memmem(p, n, "\"t\":\"RESUMED\"", 13)) {
        totals.resumed++;
        hist_add(&totals.resume, now - c->dialled);
        settle(c);
    }
}

static void on_text(Session *c, const char *p, size_t n, uint64_t now)
{
    const char *stamp = find_marker(c, p, n);
    if (stamp) {
        on_delivery(c, stamp, p, n, now);
        return;
    }
    switch (number_after(p, n, "\"op\":")) {
    case 0: on_dispatch(c, p, n, now); break;
    case 1: beat(c, now); break;
    case 9:
        if (!c->id[0]) fail("the server refused IDENTIFY (op 9): %.*s", (int)n, p);
        totals.not_resumable++;
        drop(c);
        break;
    case 10:
        c->beat_ns = opt.beat_s > 0 ? opt.beat_s * 1e9 : number_after(p, n, "\"heartbeat_interval\":") * 1000000ull;
        c->beat_at = now + c->beat_ns * ((c - sessions) % 97 + 1) / 98; /* spread, as the documentation asks */
        c->state = GREETED;
        hist_add(&totals.handshake, now - c->dialled);
        if (opt.handshake_only) settle(c);
        else log_in(c, now);
        break;
    case 11:
        if (c->beaten >= window_start) hist_add(&totals.heartbeat, now - c->beaten);
    }
}

static void on_message(Session *c, char *p, size_t n, uint64_t now)
{
    totals.frames++, totals.bytes += n;
    c->messages++;
    if (c->counted_only) {
        totals.deliveries++;
        return;
    }
    if (c->inflater) p = inflater_feed(c->inflater, p, n, &n);
    on_text(c, p, n, now);
}

/* Length of the frame at p (0: not complete); *body is where its payload starts. */
static size_t frame_length(const unsigned char *p, size_t n, size_t *body)
{
    if (n < 2) return 0;
    uint64_t length = p[1] & 127;
    *body = length == 126 ? 4 : length == 127 ? 10 : 2;
    if (n < *body) return 0;
    if (*body > 2) {
        length = 0;
        for (size_t i = 2; i < *body; i++) length = length << 8 | p[i];
    }
    return n < *body + length ? 0 : *body + length;
}

static void on_frames(Session *c, char *p, size_t n, uint64_t now)
{
    size_t body, length, at = 0;
    for (; c->state >= OPEN && (length = frame_length((unsigned char *)p + at, n - at, &body)); at += length) {
        unsigned char *f = (unsigned char *)p + at;
        size_t payload = length - body;
        switch (f[0]) {
        case 0x81:
        case 0x82: on_message(c, p + at + body, payload, now); break;
        case 0x88: ended(c, payload >= 2 ? f[body] << 8 | f[body + 1] : 1005); return;
        case 0x89: write_all(c->fd, "\x8a\x80\0\0\0", 6); break;
        case 0x8a: break;
        default: fail("unexpected WebSocket frame 0x%02x", f[0]);
        }
    }
    if (c->state == OFF) return;
    if (p == c->in.at) bytes_drop(&c->in, at);
    else if (at < n) bytes_append(&c->in, p + at, n - at);
}

static void on_bytes(Session *c, char *p, size_t n, uint64_t now)
{
    if (c->in.len) {
        bytes_append(&c->in, p, n);
        p = c->in.at, n = c->in.len;
    }
    if (c->state == UPGRADING) {
        char *end = memmem(p, n, "\r\n\r\n", 4);
        if (!end) {
            if (p != c->in.at) bytes_append(&c->in, p, n);
            return;
        }
        if (!memmem(p, end - p, " 101 ", 5)) fail("WebSocket handshake refused: %.*s", (int)(end - p), p);
        c->state = OPEN;
        size_t used = end + 4 - p;
        if (p == c->in.at) bytes_drop(&c->in, used), p = c->in.at;
        else p += used;
        n -= used;
    }
    on_frames(c, p, n, now);
}

void sessions_readable(int index, uint32_t events)
{
    Session *c = &sessions[index];
    if (c->state == OFF) return;
    if (c->state == DIALLING && events & EPOLLOUT) upgrade(c);
    if (!(events & ~EPOLLOUT)) return;
    if (c->stalled) {
        ended(c, 0);
        return;
    }
    ssize_t n = read(c->fd, chunk, sizeof chunk);
    if (n > 0) on_bytes(c, chunk, n, now_ns());
    else if (n == 0 || errno != EAGAIN) ended(c, 0);
}

/* -- all of them --------------------------------------------------------------------------------- */

void sessions_open(void)
{
    sessions = calloc(opt.sessions + 1, sizeof *sessions);
    Track *tracks = calloc((size_t)opt.sessions * opt.publishers + 1, sizeof *tracks);
    for (int i = 0; i < opt.sessions; i++) sessions[i].fd = -1, sessions[i].tracks = tracks + (size_t)i * opt.publishers;
}

void sessions_beat(void)
{
    uint64_t now = now_ns();
    for (Session *c = sessions; c < sessions + opt.sessions; c++) {
        if (c->state != READY || c->stalled) continue;
        if (c->beat_ns && now >= c->beat_at) beat(c, now_ns());
        if (opt.ask && !c->asked && now >= c->ask_at) ask(c, now_ns());
    }
}

static void stall(int index, int stalled)
{
    struct epoll_event e = {.events = stalled ? EPOLLRDHUP : EPOLLIN, .data.u64 = (uint64_t)EVENT_SESSION << 32 | (uint32_t)index};
    sessions[index].stalled = stalled;
    sessions[index].was_stalled = 1;
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, sessions[index].fd, &e);
}

/* The last ones stop reading; of the end of their connection they notice a reset at most. */
void sessions_stall(int count)
{
    for (int i = opt.sessions - count; i < opt.sessions; i++) stall(i, 1);
}

/* They read again. What the server sent before it gave them up comes first, then the end of the connection. */
void sessions_wake(void)
{
    for (int i = 0; i < opt.sessions; i++)
        if (sessions[i].stalled) stall(i, 0);
}

void sessions_cut(void)
{
    for (int i = 0; i < opt.sessions; i++) drop(&sessions[i]);
}

void sessions_let_go(int let_go) { letting_go = let_go; }

void sessions_close(void)
{
    static const unsigned char bye[] = {0x88, 0x82, 0, 0, 0, 0, 1000 >> 8, 1000 & 255};
    for (int i = 0; i < opt.sessions; i++)
        if (sessions[i].state == READY && !sessions[i].stalled && send(sessions[i].fd, bye, sizeof bye, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            continue; /* the server was faster */
}

int sessions_receivers(void)
{
    int n = 0;
    for (Session *c = sessions; c < sessions + opt.sessions; c++) n += c->state == READY && !c->counted_only && !c->was_stalled;
    return n;
}

static uint64_t all_sent(void)
{
    uint64_t sent = 0;
    for (int p = 0; p < opt.publishers; p++) sent += publish_sent(p);
    return sent;
}

/* A counted session gets one message per publication and one per heartbeat. */
static int64_t count_error(const Session *c, uint64_t sent) { return (int64_t)(c->messages - sent - c->beats); }

int sessions_complete(void)
{
    uint64_t sent = all_sent();
    for (Session *c = sessions; c < sessions + opt.sessions; c++) {
        if (c->state != READY || c->stalled) continue;
        if (c->counted_only ? count_error(c, sent) < 0 : c->verdict.delivered < sent) return 0;
    }
    return 1;
}

SessionVerdict sessions_verdict(void)
{
    SessionVerdict v = {0};
    Session *first = NULL;
    for (Session *c = sessions; c < sessions + opt.sessions; c++) {
        if (c->state != READY || c->stalled) continue;
        if (c->counted_only) {
            v.miscounted += llabs(count_error(c, all_sent()));
            continue;
        }
        for (int p = 0; p < opt.publishers; p++) track_end(&c->tracks[p], publish_sent(p), &c->verdict);
        v.order.delivered += c->verdict.delivered, v.order.missing += c->verdict.missing;
        v.order.doubled += c->verdict.doubled, v.order.late += c->verdict.late;
        if (c->verdict.missing || c->verdict.doubled || c->verdict.late) continue; /* said above */
        if (!first) first = c;
        v.disagreeing += c->order != first->order;
    }
    return v;
}
