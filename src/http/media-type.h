/* http/media-type.h - what a file is, by its name. */
#pragma once

/* "text/html; charset=utf-8" for "a/index.html"; application/octet-stream for what is not
 * known. Never NULL. */
const char *http_media_type(const char *path);
