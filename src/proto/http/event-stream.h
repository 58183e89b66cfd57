/* proto/http/event-stream.h - server-sent events (WHATWG HTML, 9.2), text/event-stream. */
#pragma once

#include "base/buffer.h"
#include "proto/http/text.h"

/* One event. `name`, `id`: NULL for none. The data may have lines, of any kind of end; a
 * client puts them together with line feeds. Whole or not at all.
 * -EINVAL: a line end in the name or the id; -EMSGSIZE, -ENOMEM: as the buffer says. */
int http_event_write(struct buffer *out, const char *name, const char *id, struct http_text data);
