/* Preloaded into a program, makes writes to files below the folder ACAI_CHAOS_FOLDER fail with EIO, or take 200 ms each,
   or only their flushes fail, as long as the file ACAI_CHAOS_DISK says so (a binary 64-bit number: 1, 2 or 3). */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *state;
static const char *folder;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("ACAI_CHAOS_DISK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    folder = getenv("ACAI_CHAOS_FOLDER");
    if (file >= 0) {
        void *mapped = mmap(NULL, sizeof *state, PROT_READ, MAP_SHARED, file, 0);
        if (mapped != MAP_FAILED && folder) state = mapped;
        close(file);
    }
}

/* Whether a write or flush of this file fails; a slow one takes its time here. */
static int fails(int file, int is_flush) {
    char link[32], path[PATH_MAX];
    int64_t now = state ? *state : 0;
    if (!now || (now == 3 && !is_flush)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    size_t below = strlen(folder);
    if (length < (ssize_t)below || strncmp(path, folder, below) || path[below] != '/') return 0;
    if (now != 2) {
        errno = EIO;
        return 1;
    }
    struct timespec pause = {0, 200 * 1000 * 1000};
    nanosleep(&pause, NULL);
    return 0;
}

#define FAILING(type, name, is_flush, parameters, ...)                                                \
    type name parameters {                                                                            \
        static type(*real) parameters;                                                                \
        if (!real) real = (type(*) parameters)dlsym(RTLD_NEXT, #name);                                \
        return fails(file, is_flush) ? -1 : real(__VA_ARGS__);                                                  \
    }

FAILING(ssize_t, write, 0, (int file, const void *bytes, size_t count), file, bytes, count)
FAILING(ssize_t, writev, 0, (int file, const struct iovec *parts, int count), file, parts, count)
FAILING(ssize_t, pwrite, 0, (int file, const void *bytes, size_t count, off_t at), file, bytes, count, at)
FAILING(ssize_t, pwrite64, 0, (int file, const void *bytes, size_t count, off64_t at), file, bytes, count, at)
FAILING(int, ftruncate, 0, (int file, off_t length), file, length)
FAILING(int, ftruncate64, 0, (int file, off64_t length), file, length)
FAILING(int, fsync, 1, (int file), file)
FAILING(int, fdatasync, 1, (int file), file)
