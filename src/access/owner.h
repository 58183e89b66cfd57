/* access/owner.h - whose sessions are whose (mqtt_admission.owner). */
#pragma once

#include "proto/mqtt/packet.h"

/* 0: nobody's, for those without a name. The same for the same user in each run, since sessions may
 * be kept on a disk. Names are the configuration's or a certificate authority's: nobody chooses one
 * that collides. */
uint32_t access_owner(struct mqtt_text user);
