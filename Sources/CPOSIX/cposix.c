#define _GNU_SOURCE

#include "cposix.h"

#include <link.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static __thread void *own;

void *cposix_own(void) { return own; }

void cposix_set_own(void *pointer) { own = pointer; }

int cposix_accept(int listener) { return accept4(listener, 0, 0, SOCK_CLOEXEC); }

int64_t cposix_peer_user(int descriptor) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    int status = getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    return status == 0 ? (int64_t)peer.uid : -1;
}

static int forget_code(struct dl_phdr_info *object, size_t size, void *unused) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    (void)size;
    (void)unused;
    for (int at = 0; at < object->dlpi_phnum; at++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[at];
        /* Code only: what is mapped for reading can hold relocations, which no file has. */
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X) || (part->p_flags & PF_W)) continue;
        uintptr_t start = (object->dlpi_addr + part->p_vaddr + page - 1) & ~(page - 1);
        uintptr_t end = (object->dlpi_addr + part->p_vaddr + part->p_memsz) & ~(page - 1);
        if (start < end) (void)madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void cposix_forget_code(void) { (void)dl_iterate_phdr(forget_code, 0); }

int cposix_epoll(void) { return epoll_create1(EPOLL_CLOEXEC); }

int cposix_event(void) { return eventfd(0, EFD_CLOEXEC); }

int cposix_watch(int epoll, int descriptor, int adding, int once, uint64_t data) {
    struct epoll_event event = {
        .events = (uint32_t)EPOLLIN | (once ? (uint32_t)EPOLLONESHOT : 0u),
        .data = {.u64 = data},
    };
    return epoll_ctl(epoll, adding ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event);
}

int cposix_unwatch(int epoll, int descriptor) {
    struct epoll_event unused = {0};
    return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &unused);
}

int cposix_wait(int epoll, uint64_t *data) {
    struct epoll_event event;
    int count = epoll_wait(epoll, &event, 1, -1);
    if (count == 1) *data = event.data.u64;
    return count;
}
