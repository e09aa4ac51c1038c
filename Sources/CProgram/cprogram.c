#include "cprogram.h"

/* Written by nginx/release into its copy of the sources: L402_VERSION. */
#if __has_include("release.h")
#include "release.h"
#endif

static char *const none[] = {0};
static char *const *arguments = none;

/* glibc passes what main() gets to every constructor. */
__attribute__((constructor)) static void keep(int count, char **values) {
    if (count > 0) arguments = values;
}

char *const *cprogram_arguments(void) { return arguments; }

const char *cprogram_released_version(void) {
#ifdef L402_VERSION
    return L402_VERSION;
#else
    return 0;
#endif
}

static const char next_version[] = {
#embed "../../nginx/version"
    , 0};

const char *cprogram_next_version(void) { return next_version; }
