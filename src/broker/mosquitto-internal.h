/* broker/mosquitto-internal.h - the reader of mosquitto.conf and its table of keys. For this
 * room. */
#pragma once

#include "broker/mosquitto-conf.h"

/* What a key belongs to. */
enum mosquitto_scope {
        MOSQUITTO_GLOBAL,
        MOSQUITTO_LISTENER, /* the listener above, or the default one */
        MOSQUITTO_NAMED,    /* a `listener` above is required */
        MOSQUITTO_ACCESS,   /* all; with per_listener_settings the listener above */
};

/* Where the reader is. */
struct mosquitto_reader {
        struct broker_config *config;
        struct error *error;
        const char *file;
        unsigned line;
        bool included; /* inside of a file of include_dir */
        unsigned includes;

        size_t listener;         /* its number, from 1; 0: none yet in this file */
        size_t default_listener; /* the same, of all files; 0: there is none */
        unsigned default_line;   /* where something was said about it */
        const char *default_key;
        bool listens;         /* a port or a listener was asked for */
        bool default_listens; /* a port or an address of the default one */
        bool any_address;     /* of the default one, as nobody gave one */
        bool per_listener, access_said;

        bool persistence;
        char *persistence_location, *persistence_file;
        bool log_types_said;
        int log_level;
};

struct mosquitto_key;
/* `value`: what follows the key, without blanks around it, "" for none; may be cut to pieces. */
typedef int mosquitto_read_fn(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                              char *value);

struct mosquitto_key {
        const char *name;
        mosquitto_read_fn *read;
        enum mosquitto_scope scope;
        size_t offset; /* in struct broker_config, broker_listener or broker_access, by scope */
        int64_t minimum, maximum;
        const char *note; /* of what is ignored or refused: why, and what to do */
};

/* NULL: there is none. */
const struct mosquitto_key *mosquitto_find_key(const char *name);
/* "; did you mean a?", or "". */
void mosquitto_suggest_key(const char *typed, char *text, size_t size);
/* All of them, for tests: NULL at the end. */
const struct mosquitto_key *mosquitto_key_at(size_t index);

/* "FILE:LINE: " and the sentence; returns -EINVAL. */
int mosquitto_refuse(struct mosquitto_reader *reader, const char *format, ...) PRINTF_LIKE(2, 3);
int mosquitto_refuse_memory(struct mosquitto_reader *reader);
void mosquitto_warn(struct mosquitto_reader *reader, const char *format, ...) PRINTF_LIKE(2, 3);
/* The member that a key is about. -EINVAL: there is no listener above; -ENOSPC, -ENOMEM. */
int mosquitto_target(struct mosquitto_reader *reader, const struct mosquitto_key *key, void **ret);

/* Keys that are about files and listeners themselves. */
mosquitto_read_fn mosquitto_read_include_dir, mosquitto_read_listener, mosquitto_read_port,
        mosquitto_read_bind_address, mosquitto_read_per_listener;
/* One whole file, or what include_dir brings. */
int mosquitto_read_lines(struct mosquitto_reader *reader, char *text, size_t length);
