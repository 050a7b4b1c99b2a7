/* What the parts of the load client share: options, totals, and each part's few functions. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>

#include "check.h"
#include "hist.h"

/* Every published content starts with a stamp of fixed width: "~b1:PPP:SSSSSSSSS:TTTTTTTTTTTTTTTTTTT~"
 * (publisher, sequence number, CLOCK_MONOTONIC ns). */
#define STAMP_MARK "~b1:"
#define STAMP_FORMAT STAMP_MARK "%03u:%09u:%019llu~"
#define STAMP_LENGTH 38

enum { EVENT_SESSION, EVENT_HTTP, EVENT_STDIN }; /* high half of an epoll event's 64 bits; low half: index */

typedef struct {
    char *host, *path, *method, *compress, *ask;
    char **tokens, **targets; /* one per session, one per request; both wrap around */
    int n_tokens, n_targets, *pids, n_pids;
    int port, core, spin, answered;
    int sessions, concurrency, intents, guilds, inflate, handshake_only, stalled, restart;
    int publishers, in_flight, content_bytes, mix;
    uint64_t count, cut;
    double rate, warmup_s, duration_s, settle_s, hold_s, beat_s, ask_s;
} Options;

typedef struct { char *at; size_t len, cap; } Bytes;

extern Options opt;  /* load.c */
extern int epoll_fd; /* load.c */

/* base.c */
uint64_t now_ns(void);
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
int dial(int from, int will_stall);
void watch(int fd, uint32_t kind, uint32_t index, uint32_t events);
void write_all(int fd, const void *data, size_t n);
void bytes_append(Bytes *b, const char *p, size_t n);
void bytes_drop(Bytes *b, size_t n);

typedef struct { uint64_t key[16], count[16]; } Tally; /* how often: status codes, close codes */
void tally_add(Tally *t, uint64_t key);
void tally_print(const char *name, const Tally *t);

/* load.c */
extern uint64_t window_start, window_end; /* messages stamped in between are latency samples */

/* session.c */
typedef struct {
    int ready, unsettled; /* sessions logged in; sessions on their way there */
    int closed;           /* cut by the server although they were reading */
    int stalled_closed, resumed, not_resumable;
    uint64_t frames, bytes, deliveries, s_violations;
    uint64_t asked, answered, chunks, misplaced_chunks;
    Tally close_codes; /* 0: cut without a close frame */
    Hist handshake, identify, resume, delivery, last, heartbeat, answer;
} SessionTotals;
typedef struct {
    Verdict order;
    uint64_t miscounted; /* messages too few or too many on sessions that are only counted */
    int disagreeing;     /* sessions that saw everything, but the publishers interleaved differently than others did */
} SessionVerdict;
extern SessionTotals totals;
void sessions_open(void);
void sessions_start(int index);
void sessions_readable(int index, uint32_t events);
void sessions_beat(void); /* and ask for members, when that is wanted */
void sessions_stall(int count);
void sessions_wake(void);
void sessions_cut(void);
void sessions_let_go(int let_go); /* from now on the server may end them: it is about to be restarted */
void sessions_close(void);
int sessions_receivers(void); /* reading, inflated, never stalled */
int sessions_complete(void);
SessionVerdict sessions_verdict(void);

/* publish.c */
typedef struct {
    uint64_t accepted, refused;
    Tally statuses;
    Hist post;
} PublishTotals;
extern PublishTotals published;
void publish_open(void);
void publish_connect(void);
void publish_disconnect(void);
void publish_schedule(double per_s);
void publish_more(uint64_t limit);
void publish_readable(int index);
int publish_unanswered(void);
uint32_t publish_sent(int publisher);
int publish_delivered(uint32_t publisher, uint32_t seq); /* 1: this was its last receiver */

/* inflate.c */
typedef struct Inflater Inflater;
Inflater *inflater_new(const char *kind);
void inflater_free(Inflater *z);
/* the decompressed message; valid until the next call */
char *inflater_feed(Inflater *z, const char *data, size_t n, size_t *length);

/* proc.c */
typedef struct { double cpu_s; long rss_kb; } Usage;
Usage usage_of(const int *pids, int n);
double usage_self(void);
double usage_machine(void);
#endif
