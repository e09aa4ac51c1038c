/* libcurl, loaded when it is first needed.
 *
 * Linking libcurl makes the loader map some 25 more libraries at every start: about 6 ms, which a
 * plain CGI process pays for each request, and mostly for requests that need no wallet. So its
 * functions are looked up with dlopen() at the first call. The wrappers also give the variadic
 * curl_easy_setopt() and curl_easy_getinfo() one name per argument type, which Swift can call.
 *
 * Any libcurl from 7.61 (Enterprise Linux 8) on does. What is younger has something else in its place
 * here: curl_multi_poll() (7.66), CURLOPT_PROTOCOLS_STR (7.85). Two options are asked for and may be
 * missed: without CURLOPT_UPLOAD_BUFFERSIZE (7.62) large uploads take more calls, and without
 * CURLOPT_MAXAGE_CONN (7.65) a connection that the server has closed is tried first, and a new one then. */
#ifndef CCURL_H
#define CCURL_H

#include <curl/curl.h>
#include <stddef.h>
#include <time.h>

/* Receives or gives bytes; the same shape as curl's own callbacks. */
typedef size_t (*ccurl_callback)(char *_Nullable bytes, size_t size, size_t count,
                                 void *_Nullable context);

/* Called while a transfer runs; anything but 0 ends it. The shape of curl_xferinfo_callback. */
typedef int (*ccurl_progress)(void *_Nullable context, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

/* Loads libcurl once; 1 when it can be used. Safe from any thread. */
int ccurl_load(void);

/* The functions below must only be called after ccurl_load() gave 1. */
CURL *_Nullable ccurl_easy_init(void);
void ccurl_easy_cleanup(CURL *_Nonnull handle);
void ccurl_easy_reset(CURL *_Nonnull handle);
CURLcode ccurl_easy_perform(CURL *_Nonnull handle);
const char *_Nonnull ccurl_easy_strerror(CURLcode code);
CURLcode ccurl_setopt_long(CURL *_Nonnull handle, CURLoption option, long value);
CURLcode ccurl_setopt_string(CURL *_Nonnull handle, CURLoption option, const char *_Nonnull value);
CURLcode ccurl_setopt_pointer(CURL *_Nonnull handle, CURLoption option, void *_Nullable value);
/* No other scheme is ever followed: not file:, nor what else libcurl knows. */
CURLcode ccurl_allow_http_only(CURL *_Nonnull handle);
CURLcode ccurl_setopt_callback(CURL *_Nonnull handle, CURLoption option, ccurl_callback _Nonnull value);
/* CURLOPT_XFERINFOFUNCTION. */
CURLcode ccurl_setopt_progress(CURL *_Nonnull handle, ccurl_progress _Nonnull value);
CURLcode ccurl_setopt_offset(CURL *_Nonnull handle, CURLoption option, curl_off_t value);
CURLcode ccurl_getinfo_long(CURL *_Nonnull handle, CURLINFO info, long *_Nonnull value);
CURLM *_Nullable ccurl_multi_init(void);
void ccurl_multi_cleanup(CURLM *_Nonnull multi);
/* curl_easy_perform() over a multi handle of its own, which keeps the connections: the progress function
 * is called at least once in so many milliseconds, where curl_easy_perform() may take a second. */
CURLcode ccurl_multi_run(CURLM *_Nonnull multi, CURL *_Nonnull handle, int milliseconds);
struct curl_slist *_Nullable ccurl_slist_append(struct curl_slist *_Nullable list, const char *_Nonnull text);
/* Seconds since 1970 of a date in any form of HTTP; -1 for anything else. */
time_t ccurl_getdate(const char *_Nonnull text);
void ccurl_slist_free(struct curl_slist *_Nullable list);

#endif
