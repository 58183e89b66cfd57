/* broker/texts.h - texts of a configuration that outlive it. */
#pragma once

#include "data/config.h"

/* Over what was there, which is freed. -ENOMEM: it stays. */
int broker_texts_copy(struct config_texts *to, const struct config_texts *from);
void broker_texts_done(struct config_texts *texts);
