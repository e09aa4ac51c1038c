/* What the FastCGI edge needs from C: libfcgi, and the Linux calls that Swift's Glibc leaves out. */
#ifndef CFASTCGI_SHIM_H
#define CFASTCGI_SHIM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <fastcgi.h>
#include <fcgiapp.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/* accept4() with SOCK_CLOEXEC: the descriptor is never inherited by a program started meanwhile.
   Declared only with _GNU_SOURCE, which a Swift importer cannot set. */
static inline int cfastcgi_accept(int listener) {
    return accept4(listener, 0, 0, SOCK_CLOEXEC);
}

/* The user of the process at the other end of a unix socket, or -1; struct ucred needs
   _GNU_SOURCE. */
static inline int64_t cfastcgi_peer_user(int descriptor) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? (int64_t)peer.uid : -1;
}

/* epoll_ctl() with one event; the union inside epoll_event is awkward from Swift. */
static inline int cfastcgi_watch(int epoll, int operation, int descriptor, uint32_t events,
                                 uint64_t data) {
    struct epoll_event event = {.events = events, .data = {.u64 = data}};
    return epoll_ctl(epoll, operation, descriptor, &event);
}

/* epoll_wait() for one event; its data in *data. */
static inline int cfastcgi_wait(int epoll, uint64_t *_Nonnull data) {
    struct epoll_event event;
    int count = epoll_wait(epoll, &event, 1, -1);
    if (count == 1) *data = event.data.u64;
    return count;
}

/* The macros and enumerators, as plain numbers. */
static const uint32_t cfastcgi_readable = EPOLLIN;
static const uint32_t cfastcgi_readable_once = (uint32_t)EPOLLIN | (uint32_t)EPOLLONESHOT;
static const int cfastcgi_add = EPOLL_CTL_ADD;
static const int cfastcgi_modify = EPOLL_CTL_MOD;
static const int cfastcgi_epoll_cloexec = EPOLL_CLOEXEC;
static const int cfastcgi_eventfd_cloexec = EFD_CLOEXEC;

#endif
