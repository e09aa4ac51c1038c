/* The floor of Tests/bench/behind_nginx.py: a FastCGI program that answers a constant, with 64 threads on one
 * socket as the gate has them. */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdlib.h>

static int listener;

static void *work(void *unused) {
    FCGX_Request request;
    (void)unused;
    FCGX_InitRequest(&request, listener, 0);
    while (FCGX_Accept_r(&request) == 0) {
        FCGX_FPrintF(request.out, "Status: 200 OK\r\nContent-Type: application/json\r\n\r\n{\"result\":\"constant\"}");
        FCGX_Finish_r(&request);
    }
    return NULL;
}

int main(int count, char **arguments) {
    pthread_t thread;
    if (count != 2 || FCGX_Init() != 0) return 2;
    listener = FCGX_OpenSocket(arguments[1], 1024);
    for (int i = 0; i < 64; i++) pthread_create(&thread, NULL, work, NULL);
    pthread_join(thread, NULL);
    return 0;
}
