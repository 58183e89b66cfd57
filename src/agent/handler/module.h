/* agent/handler/module.h - what the disk remembers of one module: the version in
 * place and those before it. A value; one thread. */
#pragma once

#include "agent/handler/version.h"
#include "base/cleanup.h"

enum { HANDLER_EARLIER_MAX = 32 };

struct handler_module {
        char filename[HANDLER_NAME_MAX + 1];
        struct handler_version current;     /* sha256 "": removed, only its backups are left */
        char disabled[HANDLER_WHY_MAX + 1]; /* why it is not to be loaded; "": it is */
        size_t earlier_count;
        struct handler_version *earlier; /* newest first, each source once, at most
                                          * HANDLER_EARLIER_MAX */
};

/* One that is not in place. -ENOMEM. */
int handler_module_new(const char *filename, struct handler_module **ret);
int handler_module_clone(const struct handler_module *module, struct handler_module **ret);
struct handler_module *handler_module_free(struct handler_module *module);
DEFINE_CLEANUP(handler_module)

static inline bool handler_module_in_place(const struct handler_module *module)
{
        return module->current.sha256[0] != '\0';
}

/* Any version of this source, the one in place first; NULL: none. */
const struct handler_version *handler_module_version(const struct handler_module *module,
                                                     const char *sha256);
const struct handler_version *handler_module_version_by_seq(const struct handler_module *module,
                                                            uint64_t seq);
bool handler_module_has_backup(const struct handler_module *module, const char *backup);
/* Inserts by its `seq`; an earlier one of the same source goes. Of too many, the oldest
 * goes, but not the newest good one. */
void handler_module_add_earlier(struct handler_module *module,
                                const struct handler_version *version);
void handler_module_drop_earlier(struct handler_module *module, size_t index);
/* The newest good version whose source is not the one in place, which retention
 * spares; earlier_count: none. */
size_t handler_module_last_good(const struct handler_module *module);
