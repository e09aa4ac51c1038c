#define _GNU_SOURCE

#include "cfastcgi.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Where a failed assertion of libfcgi leads, while this thread is inside one of its functions. */
static __thread sigjmp_buf *way_out;
/* Whether one has failed since cfastcgi_begin(): the streams are in no state to be used then. */
static __thread int is_broken;

/* libfcgi asserts that memory for a parameter can be had, whose length is what the peer says: 4 GiB
 * for the asking. Its call finds this function instead of glibc's, and the request fails, not the
 * process. Nothing else in this process is meant, and a failed assertion elsewhere ends it. */
void __assert_fail(const char *words, const char *file, unsigned line, const char *function) {
    if (way_out) {
        is_broken = 1;
        siglongjmp(*way_out, 1);
    }
    dprintf(2, "%s:%u: %s: assertion failed: %s\n", file, line, function, words);
    abort();
}

/* Runs CALL; -1 when it fails an assertion, or one has failed before. */
#define GUARDED(CALL)                                   \
    sigjmp_buf here;                                    \
    if (is_broken || sigsetjmp(here, 0)) {              \
        way_out = 0;                                    \
        return -1;                                      \
    }                                                   \
    way_out = &here;                                    \
    int result = (CALL);                                \
    way_out = 0;                                        \
    return result

int cfastcgi_begin(FCGX_Request *request) {
    is_broken = 0;
    GUARDED(FCGX_Accept_r(request));
}

int cfastcgi_read(FCGX_Request *request, char *bytes, int count) {
    GUARDED(FCGX_GetStr(bytes, count, request->in));
}

int cfastcgi_write(FCGX_Request *request, const char *bytes, int count) {
    GUARDED(FCGX_PutStr(bytes, count, request->out));
}

int cfastcgi_flush(FCGX_Request *request) { GUARDED(FCGX_FFlush(request->out)); }

static int finish(FCGX_Request *request) {
    FCGX_Finish_r(request);
    return 0;
}

int cfastcgi_end(FCGX_Request *request) {
    GUARDED(finish(request));
}

int cfastcgi_end_last(FCGX_Request *request) {
    enum { tail = 16384, filler = 49152 };
    const char *server = FCGX_GetParam("SERVER_SOFTWARE", request->envp);
    /* Where connections are kept, Apache takes one for good as long as something can be read. */
    if (server && strncmp(server, "Apache", 6) == 0) return cfastcgi_end(request);
    static const char zeros[filler];
    char answer[tail];
    int ends[2], descriptor = request->ipcFd;
    if (!request->keepConnection || pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return cfastcgi_end(request);
    request->ipcFd = ends[1];
    int result = cfastcgi_end(request);
    if (request->ipcFd >= 0) close(ends[1]);
    request->ipcFd = descriptor;
    ssize_t count = read(ends[0], answer, tail);
    close(ends[0]);
    if (count <= 0) return -1;
    struct iovec parts[] = {{answer, (size_t)count}, {(void *)zeros, filler}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    (void)sendmsg(descriptor, &message, MSG_NOSIGNAL);
    return result;
}

int cfastcgi_is_gone(int descriptor) {
    struct pollfd look = {.fd = descriptor, .events = POLLIN | POLLRDHUP};
    if (descriptor < 0) return 1;
    if (poll(&look, 1, 0) <= 0) return 0;
    if (look.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) return 1;
    /* The rest of a body, or the head of a record that ends the request. */
    FCGI_Header head;
    ssize_t count = recv(descriptor, &head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
    return count == (ssize_t)sizeof head && head.version == FCGI_VERSION_1
        && head.type == FCGI_ABORT_REQUEST;
}
