/* access/password-file.h - mosquitto's password_file: lines of NAME:HASH.
 *
 * An empty line and one that begins with '#' say nothing; blanks at the ends of a line, neither.
 * HASH is any that password-hash.h knows. Nobody in it has a role. Pure. */
#pragma once

#include "access/password-hash.h"
#include "access/user-table.h"
#include "base/buffer.h"

enum { PASSWORD_FILE_MAX = 32 * 1024 * 1024 }; /* bytes of a file */

/* Adds all users of `text` to the table. `name` stands in errors in place of the path:
 * -EINVAL, -EEXIST, -ENOSPC, -ENOMEM with a sentence that begins with "NAME:LINE: "; the table
 * then holds those of the lines before. No error quotes a hash. */
int password_file_read(const char *name, const char *text, size_t length, struct user_table *table,
                       struct error *error);

/* Can this user stand in such a file? -EINVAL with a sentence. */
int password_file_check_name(const char *name, struct error *error);
/* Writes `text` with another hash of `name` behind *out, all other lines as they are; a new user
 * comes last. `hash` NULL: without it. Both are good. 1: it was there; 0: it was not; -EMSGSIZE,
 * -ENOMEM. */
int password_file_edit(const char *text, size_t length, const char *name, const char *hash,
                       struct buffer *out);
