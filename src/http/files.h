/* http/files.h - the files of a folder, read once and served from memory.
 *
 * For pages, which are some dozens of files that do not change while the program runs. A file
 * with ".gz" behind the name of another is its compressed form, for clients that take it.
 * Hidden files, links and whatever is no plain file are not there. */
#pragma once

#include "base/error.h"
#include "http/exchange.h"

enum {
        HTTP_FILES_MAX = 512,
        HTTP_FILES_DEPTH_MAX = 8,
        HTTP_FILES_BYTES_MAX = 16 * 1024 * 1024, /* of all */
};

struct http_files;

/* Blocking. -EFBIG: beyond what stands above; -errno; both with a sentence. */
int http_files_new(const char *folder, struct http_files **ret, struct error *error);
struct http_files *http_files_free(struct http_files *files);
DEFINE_CLEANUP(http_files)

/* Answers with a file by its path in the folder, such as a parameter "{file...}" holds; ""
 * and the name of a folder stand for the index.html in it, 308 sends who left out the slash
 * behind it there. 304 when the client has it, 404 when it is not there. */
void http_files_answer(const struct http_files *files, struct http_exchange *exchange,
                       const char *path);
