#define _GNU_SOURCE

#include "cfastcgi.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static __thread void *current_worker;

void *cfastcgi_worker(void) { return current_worker; }

void cfastcgi_set_worker(void *worker) { current_worker = worker; }

int cfastcgi_accept(int listener) { return accept4(listener, 0, 0, SOCK_CLOEXEC); }

int64_t cfastcgi_peer_user(int descriptor) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    int status = getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    return status == 0 ? (int64_t)peer.uid : -1;
}

int cfastcgi_epoll(void) { return epoll_create1(EPOLL_CLOEXEC); }

int cfastcgi_event(void) { return eventfd(0, EFD_CLOEXEC); }

int cfastcgi_watch(int epoll, int descriptor, int adding, int once, uint64_t data) {
    struct epoll_event event = {
        .events = (uint32_t)EPOLLIN | (once ? (uint32_t)EPOLLONESHOT : 0u),
        .data = {.u64 = data},
    };
    return epoll_ctl(epoll, adding ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event);
}

int cfastcgi_wait(int epoll, uint64_t *data) {
    struct epoll_event event;
    int count = epoll_wait(epoll, &event, 1, -1);
    if (count == 1) *data = event.data.u64;
    return count;
}
