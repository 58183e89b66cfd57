/* command/principal.h - who asks, and what they may do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each role includes those before it. */
enum command_role {
        COMMAND_ROLE_NONE,     /* not authenticated: only `auth` */
        COMMAND_ROLE_VIEWER,   /* reads */
        COMMAND_ROLE_OPERATOR, /* + hardware and services */
        COMMAND_ROLE_DEPLOYER, /* + handlers */
        COMMAND_ROLE_ADMIN,    /* + reboot, users, updates */
};

const char *command_role_name(enum command_role role);
/* False: no such role; *ret untouched. */
bool command_role_parse(const char *name, enum command_role *ret);

enum { COMMAND_PRINCIPAL_NAME_MAX = 64 };

/* A value: copied where it is kept, so that a request outlives its connection. */
struct command_principal {
        enum command_role role;
        char name[COMMAND_PRINCIPAL_NAME_MAX]; /* the token's name, "local", "open", "" */
};
