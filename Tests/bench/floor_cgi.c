/* The floor of Tests/bench/starts.py: a CGI program that answers a constant. */
#include <stdio.h>

int main(void) {
    puts("Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nok");
    return 0;
}
