/* access/password-file.h - mosquitto's password_file: lines of NAME:HASH.
 *
 * An empty line and one that begins with '#' say nothing. HASH is any that password-hash.h
 * knows. Nobody in it has a role. Pure. */
#pragma once

#include "access/password-hash.h"
#include "access/user-table.h"

enum { PASSWORD_FILE_MAX = 32 * 1024 * 1024 }; /* bytes of a file */

/* Adds all users of `text` to the table. `name` stands in errors in place of the path:
 * -EINVAL, -EEXIST, -ENOSPC, -ENOMEM with a sentence that begins with "NAME:LINE: "; the table
 * then holds those of the lines before. No error quotes a hash. */
int password_file_read(const char *name, const char *text, size_t length, struct user_table *table,
                       struct error *error);
