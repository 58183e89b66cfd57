/* agent/service/unit-name.h - is this the name of a unit, and is it one of ours?
 *
 * What systemd.unit(5) allows: ASCII letters, digits and ":-_.\@", a suffix that
 * says the type, at most 255 bytes. Stricter in one thing: a template without its
 * instance ("getty@.service") is no unit. Pure. */
#pragma once

#include "base/error.h"
#include "data/config.h"

#include <stdbool.h>

enum { UNIT_NAME_MAX = 255 };

/* -EINVAL with a sentence. */
int unit_name_check(const char *name, struct error *error);
/* `pattern` is a glob of fnmatch(3) without escapes, as systemd reads them. */
bool unit_name_matches(const char *name, const struct config_texts *patterns);
bool unit_name_is_pattern(const char *text);
/* "nginx.service" is a "service". */
bool unit_name_is_service(const char *name);
