/* broker/mosquitto-value.h - how the values of mosquitto.conf are read. For this room. */
#pragma once

#include "broker/mosquitto-internal.h"

/* By the type of the member that the key is about: bool, int64_t from minimum to maximum, where
 * a minimum of -1 lets everything below 0 pass as 0. */
mosquitto_read_fn mosquitto_read_flag, mosquitto_read_number;
/* The same; 0 is no bound, and leaves what there is. */
mosquitto_read_fn mosquitto_read_bound;
/* char *: once in its scope; the last one counts. struct config_texts: `maximum` of them. */
mosquitto_read_fn mosquitto_read_text, mosquitto_read_path, mosquitto_read_append;

/* With a grammar of their own. */
mosquitto_read_fn mosquitto_read_anonymous, mosquitto_read_empty_ids, mosquitto_read_expiry,
        mosquitto_read_family, mosquitto_read_identity, mosquitto_read_inflight,
        mosquitto_read_log_dest, mosquitto_read_log_type, mosquitto_read_memory,
        mosquitto_read_persistence, mosquitto_read_persistence_file,
        mosquitto_read_persistence_location, mosquitto_read_prefix, mosquitto_read_protocol,
        mosquitto_read_proxy, mosquitto_read_required, mosquitto_read_subject,
        mosquitto_read_tls_version, mosquitto_read_versions;

/* What this broker does not have: let pass with the note, or without one; refused with it, or
 * only when a flag is set, or a number is not 0. */
mosquitto_read_fn mosquitto_ignore, mosquitto_ignore_quietly, mosquitto_refuse_key,
        mosquitto_refuse_true, mosquitto_refuse_number;

/* What they have in common. `value` is one word, behind which a comment may stand, which is cut
 * off. -EINVAL with a sentence; `choices` ends with NULL. */
int mosquitto_value_word(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                         char *value);
int mosquitto_value_flag(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                         char *value, bool *ret);
/* The same, and where it goes. */
int mosquitto_value_flag_for(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                             char *value, void **ret_target, bool *ret);
int mosquitto_value_number(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                           char *value, int64_t *ret);
int mosquitto_value_choice(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                           char *value, const char *const choices[], int *ret);
