/* sandbox/wall-seccomp.h - system calls that no program has a use for.
 *
 * A deny list: everything else is allowed, so that what is new in a C library does
 * not break programs. What is denied is what reaches into other processes, into
 * the kernel's own objects, or makes new namespaces, and sockets of other families
 * than the program was granted (seccomp(2), seccomp_rule_add(3)). Denied calls
 * fail with EPERM; clone3(2), whose flags lie in memory that a filter cannot read,
 * with ENOSYS, upon which C libraries take clone(2).
 *
 * Filters are compiled once, by the spawner, and loaded by each program. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>

struct seccomp_filter;

/* `network`: IP sockets too, else AF_UNIX only (and the kernel's device events).
 * -ENOMEM; -ENOSYS: this kernel has no filters; other -errno of libseccomp. */
int seccomp_filter_new(bool network, struct seccomp_filter **ret);
struct seccomp_filter *seccomp_filter_free(struct seccomp_filter *filter);
DEFINE_CLEANUP(seccomp_filter)

/* For good, on this thread and all it makes; needs no_new_privs. Takes no memory,
 * so it may stand between fork(2) and execve(2). -errno. */
int seccomp_filter_enter(const struct seccomp_filter *filter);
