/* libfcgi behind a guard: what a peer sends ends no process. */
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

/* Whether the other end has closed the connection or aborts its request; one look, no waiting. */
int cfastcgi_is_gone(int descriptor);

#endif
