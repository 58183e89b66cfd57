/* access/acl-file.h - mosquitto's acl_file.
 *
 *     # a comment
 *     topic read news/#                  before any `user`: clients without a name
 *     user ann
 *     topic readwrite home/#             ann
 *     topic deny home/cellar/#
 *     pattern write devices/%u/status    everybody, wherever it stands
 *
 * `topic` and `pattern` take read, write, readwrite or deny, or none of them for readwrite. %u
 * and %c are placeholders behind `pattern` only. Source: mosquitto.conf(5), "acl_file". Pure. */
#pragma once

#include "access/acl.h"

enum { ACL_FILE_MAX = 32 * 1024 * 1024 }; /* bytes of a file */

/* Adds all rules of `text`. `name` stands in errors in place of the path: -EINVAL, -ENOSPC,
 * -ENOMEM with a sentence that begins with "NAME:LINE: "; the ACL then holds those of the lines
 * before. */
int acl_file_read(const char *name, const char *text, size_t length, struct acl *acl,
                  struct error *error);
