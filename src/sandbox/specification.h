/* sandbox/specification.h - a struct sandbox_program on its way to the spawner.
 *
 * It travels in a memfd that is sealed, so that it cannot change between the look
 * and the use: a header of fixed-width members, then all texts, each with its NUL,
 * in the order of the struct; at most SANDBOX_BYTES_MAX. In the machine's own byte
 * order: both ends are on one machine. */
#pragma once

#include "base/cleanup.h"
#include "sandbox/sandbox.h"

struct sandbox_specification {
        struct sandbox_program program; /* its texts lie behind; no descriptors (-1) */
};

/* Is this a program as described in sandbox/sandbox.h? -EINVAL; -E2BIG: more than
 * there is room for. */
int sandbox_program_check(const struct sandbox_program *program);

/* As sandbox/sandbox.h says of names; also none that is too long. */
bool sandbox_name_is_valid(const char *name);
/* "/a/b": absolute, without "..", ".", "//" and a "/" at the end, and not "/". */
bool sandbox_path_is_plain(const char *path);
/* Is `path` at or below `folder`? Both plain. */
bool sandbox_path_is_below(const char *path, const char *folder);

/* A sealed memfd. As sandbox_program_check(); -errno. */
int sandbox_specification_write(const struct sandbox_program *program, int *ret_fd);
/* -EPERM: it is not sealed; as sandbox_specification_decode(); -errno. */
int sandbox_specification_read(int fd, struct sandbox_specification **ret);

/* What is in it. -EBADMSG: not as described above; what is decoded but is no
 * program: as sandbox_program_check(); -ENOMEM. */
int sandbox_specification_decode(const void *bytes, size_t count,
                                 struct sandbox_specification **ret);
struct sandbox_specification *sandbox_specification_free(
        struct sandbox_specification *specification);
DEFINE_CLEANUP(sandbox_specification)
