/* Gateway transport compression, receiving side: one zlib or zstd stream per connection.
 *
 * libzstd is looked up at run time, because its headers are often not installed where a C compiler is;
 * the declarations below are its stable API.
 */
#include "load.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <zlib.h>

typedef struct { const void *src; size_t size, pos; } ZstdIn;
typedef struct { void *dst; size_t size, pos; } ZstdOut;

static struct {
    void *(*create)(void);
    size_t (*release)(void *);
    size_t (*decompress)(void *, ZstdOut *, ZstdIn *);
    unsigned (*is_error)(size_t);
    const char *(*error_name)(size_t);
} zstd;

struct Inflater { z_stream zlib; void *zstd; };

static Bytes out; /* shared: one message is decompressed at a time */

static void load_zstd(void)
{
    if (zstd.create) return;
    void *lib = dlopen("libzstd.so.1", RTLD_NOW);
    if (!lib) fail("zstd-stream needs libzstd.so.1: %s", dlerror());
    zstd.release = dlsym(lib, "ZSTD_freeDStream");
    zstd.decompress = dlsym(lib, "ZSTD_decompressStream");
    zstd.is_error = dlsym(lib, "ZSTD_isError");
    zstd.error_name = dlsym(lib, "ZSTD_getErrorName");
    zstd.create = dlsym(lib, "ZSTD_createDStream");
}

Inflater *inflater_new(const char *kind)
{
    Inflater *z = calloc(1, sizeof *z);
    if (!strcmp(kind, "zstd")) load_zstd(), z->zstd = zstd.create();
    else if (inflateInit(&z->zlib) != Z_OK) fail("inflateInit");
    return z;
}

void inflater_free(Inflater *z)
{
    if (!z) return;
    if (z->zstd) zstd.release(z->zstd);
    else inflateEnd(&z->zlib);
    free(z);
}

static void grow(size_t room)
{
    if (out.cap - out.len >= room) return;
    out.cap = (out.cap + room) * 2;
    out.at = realloc(out.at, out.cap);
}

static void feed_zstd(Inflater *z, const char *data, size_t n)
{
    ZstdIn in = {data, n, 0};
    for (int full = 1; full || in.pos < in.size;) {
        grow(65536);
        ZstdOut o = {out.at, out.cap, out.len};
        size_t r = zstd.decompress(z->zstd, &o, &in);
        if (zstd.is_error(r)) fail("zstd-stream: %s", zstd.error_name(r));
        out.len = o.pos;
        full = o.pos == o.size;
    }
}

static void feed_zlib(Inflater *z, const char *data, size_t n)
{
    z->zlib.next_in = (void *)data, z->zlib.avail_in = n;
    do {
        grow(65536);
        z->zlib.next_out = (void *)(out.at + out.len), z->zlib.avail_out = out.cap - out.len;
        int r = inflate(&z->zlib, Z_SYNC_FLUSH);
        if (r != Z_OK && r != Z_BUF_ERROR) fail("zlib-stream: corrupt data (%s)", z->zlib.msg ? z->zlib.msg : "?");
        out.len = out.cap - z->zlib.avail_out;
    } while (z->zlib.avail_in || !z->zlib.avail_out);
}

char *inflater_feed(Inflater *z, const char *data, size_t n, size_t *length)
{
    out.len = 0;
    (z->zstd ? feed_zstd : feed_zlib)(z, data, n);
    *length = out.len;
    return out.at;
}
