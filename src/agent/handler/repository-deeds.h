/* agent/handler/repository-deeds.h - what a person does to modules, for the tests that let the
 * disk fail or the power go meanwhile, and what must hold afterwards. */
#pragma once

#include "agent/handler/repository-fixture.h"

/* One thing that a person does. */
struct deed {
        const char *name;
        enum handler_action action;
        const char *before, *after; /* what is in place; NULL: nothing */
        const char *result;         /* in the update log, once it is done */
        int (*act)(struct fixture *f, const struct deed *deed);
        bool full_log; /* the update log is about to be rotated */
};

enum { DEEDS = 7, DEED_DEPLOY = 1, DEED_ABANDON = 6 };
extern const struct deed deeds[DEEDS];

#define DEED_MODULE "camera_handlers.py"
#define DEED_OLD "# the version in place\n"
#define DEED_NEW "# the version to come\n"

bool deed_is_long(void); /* all points, not a sample */
void deed_prepare(struct fixture *f, const struct deed *deed);
bool deed_in_place(struct fixture *f, const char *source);
/* After a restart the module is old or new, whole, the log says which, nothing is left over, and
 * the repository goes on. `must`: -1 the old one, 1 the new one, 0 either. */
void deed_check_after_restart(struct fixture *f, const struct deed *deed, int must,
                              const char *point);
