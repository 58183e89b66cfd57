/* sandbox/walls.h - which walls can be had on this machine, found out by trying. */
#pragma once

#include "sandbox/sandbox.h"

/* Of the namespaces, in a child of ours that tries them. */
uint32_t walls_try_namespaces(void);

/* A plain user has none of them but in a user namespace, in which this process
 * keeps its user id. 0: it is in one from now on; -EPERM: not here. */
int walls_enter_user_namespace(void);

/* "mount_view" -> its wall; -1: no such name. */
int walls_find(const char *name);
/* "uid seccomp ..."; cut when it does not fit. */
void walls_print(uint32_t walls, char *ret, size_t size);
