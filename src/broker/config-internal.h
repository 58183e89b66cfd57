/* broker/config-internal.h - the keys of our own grammar, and what no single one can tell. For
 * this room. */
#pragma once

#include "broker/config.h"

enum { BROKER_SECTIONS = 6 };

struct broker_sections {
        struct config_section list[BROKER_SECTIONS];
};

struct broker_sections broker_sections_of(struct broker_config *config);
struct config_section broker_listener_section(struct broker_listener *listener);

/* Of both grammars, when all is read; makes of defaults what they mean. -EINVAL with a sentence
 * that begins with the place. */
int broker_config_check(struct broker_config *config, struct error *error);
