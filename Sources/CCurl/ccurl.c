#include "ccurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

/* typecheck-gcc.h wraps these in macros; the table below needs the plain names. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

static struct {
    CURL *(*easy_init)(void);
    void (*easy_cleanup)(CURL *);
    void (*easy_reset)(CURL *);
    CURLcode (*easy_perform)(CURL *);
    const char *(*easy_strerror)(CURLcode);
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
    CURLM *(*multi_init)(void);
    CURLMcode (*multi_cleanup)(CURLM *);
    CURLMcode (*multi_add_handle)(CURLM *, CURL *);
    CURLMcode (*multi_remove_handle)(CURLM *, CURL *);
    CURLMcode (*multi_perform)(CURLM *, int *);
    CURLMcode (*multi_poll)(CURLM *, struct curl_waitfd[], unsigned int, int, int *); /* 7.66; may be 0 */
    CURLMcode (*multi_wait)(CURLM *, struct curl_waitfd[], unsigned int, int, int *);
    CURLMsg *(*multi_info_read)(CURLM *, int *);
    struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
    void (*slist_free_all)(struct curl_slist *);
    time_t (*getdate)(const char *, const time_t *);
} api;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int loaded = 0;

static void load(void) {
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library) library = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    CURLcode (*global_init)(long);
    *(void **)&global_init = dlsym(library, "curl_global_init");
    *(void **)&api.easy_init = dlsym(library, "curl_easy_init");
    *(void **)&api.easy_cleanup = dlsym(library, "curl_easy_cleanup");
    *(void **)&api.easy_reset = dlsym(library, "curl_easy_reset");
    *(void **)&api.easy_perform = dlsym(library, "curl_easy_perform");
    *(void **)&api.easy_strerror = dlsym(library, "curl_easy_strerror");
    *(void **)&api.easy_setopt = dlsym(library, "curl_easy_setopt");
    *(void **)&api.easy_getinfo = dlsym(library, "curl_easy_getinfo");
    *(void **)&api.multi_init = dlsym(library, "curl_multi_init");
    *(void **)&api.multi_cleanup = dlsym(library, "curl_multi_cleanup");
    *(void **)&api.multi_add_handle = dlsym(library, "curl_multi_add_handle");
    *(void **)&api.multi_remove_handle = dlsym(library, "curl_multi_remove_handle");
    *(void **)&api.multi_perform = dlsym(library, "curl_multi_perform");
    *(void **)&api.multi_poll = dlsym(library, "curl_multi_poll");
    *(void **)&api.multi_wait = dlsym(library, "curl_multi_wait");
    *(void **)&api.multi_info_read = dlsym(library, "curl_multi_info_read");
    *(void **)&api.slist_append = dlsym(library, "curl_slist_append");
    *(void **)&api.slist_free_all = dlsym(library, "curl_slist_free_all");
    *(void **)&api.getdate = dlsym(library, "curl_getdate");
    if (!global_init || !api.easy_init || !api.easy_cleanup || !api.easy_reset || !api.easy_perform ||
        !api.easy_strerror || !api.easy_setopt || !api.easy_getinfo || !api.slist_append ||
        !api.slist_free_all || !api.getdate || !api.multi_init || !api.multi_cleanup || !api.multi_add_handle ||
        !api.multi_remove_handle || !api.multi_perform || !api.multi_wait || !api.multi_info_read)
        return;
    loaded = global_init(CURL_GLOBAL_ALL) == CURLE_OK;
}

int ccurl_load(void) {
    pthread_once(&once, load);
    return loaded;
}

CURL *ccurl_easy_init(void) { return api.easy_init(); }
void ccurl_easy_cleanup(CURL *handle) { api.easy_cleanup(handle); }
void ccurl_easy_reset(CURL *handle) { api.easy_reset(handle); }
CURLcode ccurl_easy_perform(CURL *handle) { return api.easy_perform(handle); }
const char *ccurl_easy_strerror(CURLcode code) { return api.easy_strerror(code); }

CURLcode ccurl_setopt_long(CURL *handle, CURLoption option, long value) {
    return api.easy_setopt(handle, option, value);
}

CURLcode ccurl_setopt_string(CURL *handle, CURLoption option, const char *value) {
    return api.easy_setopt(handle, option, value);
}

CURLcode ccurl_allow_http_only(CURL *handle) {
    CURLcode code = api.easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    if (code != CURLE_UNKNOWN_OPTION) return code;
    CURL_IGNORE_DEPRECATION(
        code = api.easy_setopt(handle, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    )
    return code;
}

CURLcode ccurl_setopt_pointer(CURL *handle, CURLoption option, void *value) {
    return api.easy_setopt(handle, option, value);
}

CURLcode ccurl_setopt_callback(CURL *handle, CURLoption option, ccurl_callback value) {
    return api.easy_setopt(handle, option, value);
}

CURLcode ccurl_setopt_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return api.easy_setopt(handle, option, value);
}

CURLcode ccurl_setopt_progress(CURL *handle, ccurl_progress value) {
    return api.easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, value);
}

CURLM *ccurl_multi_init(void) { return api.multi_init(); }
void ccurl_multi_cleanup(CURLM *multi) { api.multi_cleanup(multi); }

/* Until something happens, or so many milliseconds. */
static CURLMcode await(CURLM *multi, int milliseconds) {
    if (api.multi_poll) return api.multi_poll(multi, 0, 0, milliseconds, 0);
    int events = 0;
    CURLMcode code = api.multi_wait(multi, 0, 0, milliseconds, &events);
    /* It returns at once while there is no descriptor to wait for, as when a name is looked up. */
    if (!events) usleep(1000);
    return code;
}

CURLcode ccurl_multi_run(CURLM *multi, CURL *handle, int milliseconds) {
    if (api.multi_add_handle(multi, handle) != CURLM_OK) return CURLE_FAILED_INIT;
    int running = 1;
    while (api.multi_perform(multi, &running) == CURLM_OK && running &&
           await(multi, milliseconds) == CURLM_OK) {
    }
    CURLcode code = CURLE_FAILED_INIT;
    int left;
    for (CURLMsg *message; (message = api.multi_info_read(multi, &left));)
        if (message->msg == CURLMSG_DONE && message->easy_handle == handle) code = message->data.result;
    api.multi_remove_handle(multi, handle);
    return code;
}

CURLcode ccurl_getinfo_long(CURL *handle, CURLINFO info, long *value) {
    return api.easy_getinfo(handle, info, value);
}

struct curl_slist *ccurl_slist_append(struct curl_slist *list, const char *text) {
    return api.slist_append(list, text);
}

void ccurl_slist_free(struct curl_slist *list) { api.slist_free_all(list); }

time_t ccurl_getdate(const char *text) { return api.getdate(text, 0); }
