/* What the FastCGI edge needs from C: libfcgi, and the Linux calls that Swift's Glibc leaves out or
 * that want _GNU_SOURCE, which a header must not define: it would change other headers' types. */
#ifndef CFASTCGI_H
#define CFASTCGI_H

#include <fastcgi.h>
#include <fcgiapp.h>
#include <stdint.h>

/* FCGX_Accept_r, FCGX_GetStr, FCGX_PutStr, FCGX_FFlush and FCGX_Finish_r, whose assertions do not end
 * the process: -1 when one fails, and from then on until the next request begins in this thread. */
int cfastcgi_begin(FCGX_Request *_Nonnull request);
int cfastcgi_read(FCGX_Request *_Nonnull request, char *_Nonnull bytes, int count);
int cfastcgi_write(FCGX_Request *_Nonnull request, const char *_Nonnull bytes, int count);
int cfastcgi_flush(FCGX_Request *_Nonnull request);
int cfastcgi_end(FCGX_Request *_Nonnull request);

/* cfastcgi_end() for the last request of a connection that the web server means to keep.
 *
 * nginx would send the next request on it before it sees that the connection has been closed, and
 * answer 502 to a POST. So the end of the answer, for which libfcgi is lent a pipe, goes out in one
 * piece with more bytes than nginx reads at once (fastcgi_buffer_size, 16k in our snippets): where
 * something is left to be read it closes the connection by itself, and at once. */
int cfastcgi_end_last(FCGX_Request *_Nonnull request);

/* accept4() with SOCK_CLOEXEC: the descriptor is never inherited by a program started meanwhile. */
int cfastcgi_accept(int listener);

/* Whether the other end has closed the connection or aborts its request; one look, no waiting. */
int cfastcgi_is_gone(int descriptor);

/* The user of the process at the other end of a unix socket (SO_PEERCRED), or -1. */
int64_t cfastcgi_peer_user(int descriptor);

/* What the calling thread was told by cfastcgi_set_worker(), or a null pointer. */
void *_Nullable cfastcgi_worker(void);
void cfastcgi_set_worker(void *_Nullable worker);

/* Takes the pages of code out of this process's memory; what is run again comes back from the page
 * cache. Most of what a start runs is never run again: a TLS library, parsers, the runtime. */
void cfastcgi_forget_code(void);

/* epoll_create1(EPOLL_CLOEXEC). */
int cfastcgi_epoll(void);

/* eventfd(0, EFD_CLOEXEC). */
int cfastcgi_event(void);

/* epoll_ctl() for readability, adding the descriptor or changing it; once: EPOLLONESHOT. */
int cfastcgi_watch(int epoll, int descriptor, int adding, int once, uint64_t data);

/* epoll_ctl() to forget a descriptor: closing it does not where another process holds the socket. */
int cfastcgi_unwatch(int epoll, int descriptor);

/* epoll_wait() for one event, without end; its data in *data. */
int cfastcgi_wait(int epoll, uint64_t *_Nonnull data);

#endif
