/* Linux calls that Swift's Glibc leaves out or that want _GNU_SOURCE, which a header must not define:
 * it would change other headers' types. */
#ifndef CPOSIX_H
#define CPOSIX_H

#include <stdint.h>

/* accept4() with SOCK_CLOEXEC: the descriptor is never inherited by a program started meanwhile. */
int cposix_accept(int listener);

/* The user of the process at the other end of a unix socket (SO_PEERCRED), or -1. */
int64_t cposix_peer_user(int descriptor);

/* What the calling thread was told by cposix_set_own(), or a null pointer. */
void *_Nullable cposix_own(void);
void cposix_set_own(void *_Nullable own);

/* Takes the pages of code out of this process's memory; what is run again comes back from the page
 * cache. */
void cposix_forget_code(void);

/* epoll_create1(EPOLL_CLOEXEC). */
int cposix_epoll(void);

/* eventfd(0, EFD_CLOEXEC). */
int cposix_event(void);

/* epoll_ctl() for readability, adding the descriptor or changing it; once: EPOLLONESHOT. */
int cposix_watch(int epoll, int descriptor, int adding, int once, uint64_t data);

/* epoll_ctl() to forget a descriptor. */
int cposix_unwatch(int epoll, int descriptor);

/* epoll_wait() for one event, without end; its data in *data. */
int cposix_wait(int epoll, uint64_t *_Nonnull data);

#endif
