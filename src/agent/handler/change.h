/* agent/handler/change.h - a change of a module that has begun: what the journal
 * must know to finish or forget it. */
#pragma once

#include "agent/handler/repository.h"
#include "base/list.h"

enum { HANDLER_WHO_MAX = 255 };

struct handler_change {
        struct list link;
        uint64_t id; /* becomes the `seq` of the version */
        enum handler_action action;
        char filename[HANDLER_NAME_MAX + 1];
        char before[HANDLER_SHA256_HEX + 1]; /* in place when it began; "" for none */
        char after[HANDLER_SHA256_HEX + 1];  /* "" for a removal */
        char backup[HANDLER_BACKUP_MAX + 1]; /* the name that its backup gets; "" for none */
        char who[HANDLER_WHO_MAX + 1], from[HANDLER_WHO_MAX + 1];
        uint32_t size;  /* of the source, not in the journal */
        bool committed; /* in active.json; what is left to do can be done again */
        bool unsynced;  /* in active.json, but a power cut may bring the old one back */
        bool prepared;  /* its visible copy lies ready */
        bool logged;
};

int handler_change_new(struct handler_change **ret);
/* Unlinks it too. */
struct handler_change *handler_change_free(struct handler_change *change);
DEFINE_CLEANUP(handler_change)

struct handler_change *handler_change_find(const struct list *changes, uint64_t id);
struct handler_change *handler_change_of(const struct list *changes, const char *filename);
void handler_change_set_origin(struct handler_change *change, const struct handler_origin *origin);
/* For the update log: "update_handler", …; "updated", …. */
const char *handler_action_command(enum handler_action action);
const char *handler_action_result(enum handler_action action);
