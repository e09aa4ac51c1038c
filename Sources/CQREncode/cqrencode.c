#include "cqrencode.h"

#include <dlfcn.h>
#include <pthread.h>

/* What qrencode.h of libqrencode.so.4 says, so that a build needs nothing of it. */
typedef struct {
    int version;
    int width;
    unsigned char *data;
} QRcode;
enum { QR_ECLEVEL_M = 1, QR_MODE_8 = 2 };

static struct {
    QRcode *(*encode)(const char *text, int version, int level, int mode, int caseSensitive);
    void (*free)(QRcode *);
} api;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int loaded = 0;

static void load(void) {
    void *library = dlopen("libqrencode.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    *(void **)&api.encode = dlsym(library, "QRcode_encodeString");
    *(void **)&api.free = dlsym(library, "QRcode_free");
    loaded = api.encode && api.free;
}

int cqrencode_load(void) {
    pthread_once(&once, load);
    return loaded;
}

struct cqrencode_code cqrencode_encode(const char *text) {
    struct cqrencode_code code = {0, 0, 0};
    /* Finds the shortest way by itself: upper-case letters and digits take 5.5 bits each. */
    QRcode *made = api.encode(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
    if (made) {
        code.width = made->width;
        code.data = made->data;
        code.handle = made;
    }
    return code;
}

void cqrencode_free(struct cqrencode_code code) {
    if (code.handle) api.free(code.handle);
}
