#include "agent/gate/admission.h"

#include "access/owner.h"
#include "agent/gate/caller.h"
#include "agent/gate/quoted.h"
#include "base/attributes.h"
#include "proto/token.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct gate_admission {
        struct list link;
        struct gate *gate; /* NULL: gone */
        struct gate_caller *caller;
        struct mqtt_admission answer; /* with the ticket */
        bool with_will;
        bool within; /* inside of the hook: the answer is its to give */
        bool answered;
        char user[COMMAND_PRINCIPAL_NAME_MAX]; /* "": none was given */
};

static void deny(const struct gate *gate, const struct gate_caller *caller, const char *why)
{
        struct gate_quoted id;

        log_warning(gate->options.log, gate->counts.name, "refused client=\"%s\" origin=%s: %s",
                    gate_quote(caller->client_id, &id), caller->session.origin, why);
}

/* Whoever gets no more than a client without a password may call themselves as they like. */
static bool has_name(const struct gate *gate, const char *user,
                     const struct command_principal *principal)
{
        struct command_principal anybody;

        gate->options.admit(gate->options.admit_owner, &anybody);
        return user[0] == '\0' || strcmp(user, principal->name) == 0 ||
               (principal->role == anybody.role && strcmp(principal->name, anybody.name) == 0);
}

/* The principal is known: may it come in as what it says? */
static enum mqtt_reason judge(struct gate_admission *admission,
                              const struct command_principal *principal)
{
        struct gate *gate = admission->gate;
        struct gate_caller *caller = admission->caller;

        if (principal->role == COMMAND_ROLE_NONE) {
                deny(gate, caller, "it shows no password, which is the token of a user");
                return MQTT_NOT_AUTHORIZED;
        }
        if (!has_name(gate, admission->user, principal)) {
                deny(gate, caller, "its user name is not the name of its token");
                return MQTT_BAD_CREDENTIALS;
        }
        if (admission->with_will && principal->role < COMMAND_ROLE_OPERATOR) {
                deny(gate, caller, "its role may not publish, and so leaves no will");
                return MQTT_NOT_AUTHORIZED;
        }
        caller->session.principal = *principal;
        return MQTT_SUCCESS;
}

/* A client id is its user's; one of those without a password is nobody's. */
static uint32_t owner_of(const struct gate *gate, const struct command_principal *principal)
{
        struct command_principal anybody;
        struct mqtt_text name = {principal->name, (uint16_t)strlen(principal->name)};

        gate->options.admit(gate->options.admit_owner, &anybody);
        return strcmp(principal->name, anybody.name) == 0 ? 0 : access_owner(name);
}

static void conclude(struct gate_admission *admission, enum mqtt_reason reason)
{
        struct mqtt_admission *answer = &admission->answer;

        admission->answered = true;
        answer->reason = reason;
        if (reason != MQTT_SUCCESS) {
                admission->gate->counts.refused++;
                admission->caller = gate_caller_free(admission->caller);
                return;
        }
        answer->identity = admission->caller;
        answer->owner = owner_of(admission->gate, &admission->caller->session.principal);
        answer->response_information = admission->caller->response_topic;
}

static void admission_free(struct gate_admission *admission)
{
        list_remove(&admission->link);
        gate_caller_free(admission->caller);
        free(admission);
}

static void on_identified(void *context, int result, const struct command_principal *principal,
                          const struct error *error, uint64_t retry_ms)
{
        struct gate_admission *admission = context;

        (void)error;    /* access has told of it */
        (void)retry_ms; /* CONNACK has no place for it */
        if (!admission->gate) {
                admission_free(admission);
                return;
        }
        if (result == 0)
                conclude(admission, judge(admission, principal));
        else
                conclude(admission, result == -EAGAIN ? MQTT_SERVER_BUSY : MQTT_BAD_CREDENTIALS);
        if (admission->within)
                return;
        if (mqtt_broker_admit(admission->gate->broker, admission->answer.ticket,
                              &admission->answer) == 0)
                admission->caller = NULL; /* the broker's */
        admission_free(admission);
}

/* A password is bytes, a token is text. One that is too long stays that. */
static int copy_token(struct mqtt_text password, char token[TOKEN_MAX + 2])
{
        size_t length = password.length <= TOKEN_MAX ? password.length : TOKEN_MAX + 1;

        if (memchr(password.bytes, '\0', length))
                return -EINVAL;
        memcpy(token, password.bytes, length);
        token[length] = '\0';
        return 0;
}

static void identify(struct gate_admission *admission, const struct mqtt_connect *connect)
{
        struct gate *gate = admission->gate;
        char token[TOKEN_MAX + 2];

        if (connect->user.length >= sizeof(admission->user) ||
            copy_token(connect->password, token) < 0) {
                deny(gate, admission->caller, "no user has such a name or password");
                conclude(admission, MQTT_BAD_CREDENTIALS);
                return;
        }
        memcpy(admission->user, connect->user.bytes ? connect->user.bytes : "",
               connect->user.length);
        command_registry_identify(gate->registry, &admission->caller->session, token, on_identified,
                                  admission);
        explicit_bzero(token, sizeof(token));
}

static void decide(struct gate_admission *admission, const struct mqtt_who *who,
                   const struct mqtt_connect *connect)
{
        struct gate *gate = admission->gate;
        struct command_principal anybody;

        if (connect->has_will &&
            gate_topics_place(&gate->topics, connect->will.topic) != GATE_PLACE_OUTSIDE) {
                /* What happens when somebody goes is no command of theirs. */
                deny(gate, admission->caller, "its will has a topic of ours");
                conclude(admission, MQTT_NOT_AUTHORIZED);
        } else if (connect->has_password) {
                identify(admission, connect);
        } else {
                gate_admit_without_password(gate, who, &anybody);
                conclude(admission, judge(admission, &anybody));
        }
}

void gate_on_connect(void *owner, const struct mqtt_who *who, const struct mqtt_connect *connect,
                     struct mqtt_admission *answer)
{
        struct gate *gate = owner;
        struct gate_admission *admission = calloc(1, sizeof(*admission));

        answer->reason = gate->stopping ? MQTT_SERVER_UNAVAILABLE : MQTT_SERVER_BUSY;
        if (!admission)
                return;
        list_append(&gate->admissions, &admission->link);
        admission->gate = gate;
        admission->answer.ticket = answer->ticket;
        admission->with_will = connect->has_will;
        admission->within = true;
        if (gate->stopping || gate_caller_new(gate, who, &admission->caller) < 0) {
                admission_free(admission);
                return;
        }
        decide(admission, who, connect);
        admission->within = false;
        if (admission->answered) {
                *answer = admission->answer;
                admission->caller = NULL; /* the broker's */
                admission_free(admission);
        } else {
                answer->later = true;
        }
}

void gate_on_answered(void *owner, void *identity, enum mqtt_reason reason)
{
        struct gate *gate = owner;
        struct gate_caller *caller = identity;
        const struct command_principal *principal = &caller->session.principal;
        struct gate_quoted id;

        if (reason != MQTT_SUCCESS) {
                gate->counts.refused++;
                deny(gate, caller,
                     reason == MQTT_NOT_AUTHORIZED ? "its client id is another user's"
                                                   : mqtt_reason_name(reason));
                return;
        }
        gate_caller_enter(caller);
        log_info(gate->options.log, gate->counts.name,
                 "connected client=\"%s\" who=\"%s\" role=%s origin=%s",
                 gate_quote(caller->client_id, &id), principal->name,
                 command_role_name(principal->role), caller->session.origin);
}

void gate_admissions_orphan(struct gate *gate)
{
        struct list *link;

        while ((link = list_take_first(&gate->admissions))) {
                struct gate_admission *admission = container_of(link, struct gate_admission, link);

                admission->gate = NULL;
                admission->caller = gate_caller_free(admission->caller);
        }
}
