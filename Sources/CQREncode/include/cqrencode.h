/* libqrencode, loaded when the first code is drawn: a gate that shows no page needs none, and a machine
 * without the library shows its pages without a code. (Debian has no static one.) */
#ifndef CQRENCODE_H
#define CQRENCODE_H

#include <stddef.h>

/* Loads libqrencode once; 1 when it can be used. Safe from any thread. */
int cqrencode_load(void);

/* The code of a text at error correction M: its width in modules, and width * width bytes of which bit 0
 * says "dark", to be given back by cqrencode_free(). NULL when the text is too long. Only to be called
 * after cqrencode_load() gave 1. */
struct cqrencode_code {
    int width;
    const unsigned char *_Nullable data;
    void *_Nullable handle;
};
struct cqrencode_code cqrencode_encode(const char *_Nonnull text);
void cqrencode_free(struct cqrencode_code code);

#endif
