/* access/mqtt-admission.h - CONNECT: who is that?
 *
 * In src/access/ only. */
#pragma once

#include "access/mqtt-client.h"
#include "access/mqtt-hooks.h"
#include "base/list.h"

struct access_mqtt {
        struct access_mqtt_options options;
        struct mqtt_hooks hooks;
        struct mqtt_broker *broker;
        struct acl_cache_hash *hash;
        struct list admissions; /* struct admission, whose passwords are being verified */
};

void access_mqtt_report(const struct access_mqtt *access, const struct access_report *report);

/* The hook; `owner` is the access_mqtt. */
void access_mqtt_on_connect(void *owner, const struct mqtt_who *who,
                            const struct mqtt_connect *connect, struct mqtt_admission *answer);
/* Whose passwords are being verified is nobody's business any more. */
void access_mqtt_orphan_admissions(struct access_mqtt *access);
