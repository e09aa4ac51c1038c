/* What a program knows of itself before its first line runs: its arguments and its version. */
#ifndef CPROGRAM_H
#define CPROGRAM_H

/* The arguments as the kernel passed them, the program's name first; 0 after the last one. Swift's own
 * CommandLine reads /proc, and is empty where there is none (a bare chroot, some jails). */
char *_Nullable const *_Nonnull cprogram_arguments(void);

/* The version that nginx/release gave this build; 0 for any other build. */
const char *_Nullable cprogram_released_version(void);

/* The text of the file nginx/version: the version of the next release, and a line end. */
const char *_Nonnull cprogram_next_version(void);

#endif
