#include "agent/gate/admission.h"

#include "access/owner.h"
#include "agent/gate/caller.h"
#include "agent/gate/users.h"
#include "base/attributes.h"
#include "proto/mqtt/quoted.h"
#include "proto/token.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A password may be a user's or a token. Both are looked at, in the same order for each name,
 * so that the time does not tell which names are users'. */
enum step { STEP_TOKEN, STEP_USER, STEP_END };

struct gate_admission {
        struct list link;
        struct gate *gate; /* NULL: gone */
        struct gate_caller *caller;
        struct mqtt_admission answer; /* with the ticket */
        struct mqtt_text will;        /* its topic, of the heap; empty: there is none */
        bool with_password;
        bool within; /* inside of the hook: the answer is its to give */
        bool answered;
        enum step next;
        struct login_attempt attempt;
        char user[COMMAND_PRINCIPAL_NAME_MAX]; /* "": none was given */
        char token[TOKEN_MAX + 2];             /* the password */
};

static void deny(const struct gate *gate, const struct gate_caller *caller, const char *why)
{
        struct mqtt_quoted id;

        log_warning(gate->options.log, gate->counts.name, "refused client=\"%s\" origin=%s: %s",
                    mqtt_quote(caller->client_id, &id), caller->session.origin, why);
}

/* Whoever gets no more than a client without a password may call themselves as they like. */
static bool has_name(const struct gate *gate, const char *user,
                     const struct command_principal *principal)
{
        struct command_principal anybody;

        gate_admit_anybody(gate, &anybody);
        return user[0] == '\0' || strcmp(user, principal->name) == 0 ||
               (principal->role == anybody.role && strcmp(principal->name, anybody.name) == 0);
}

/* One of those without a password is nobody's. */
static bool is_somebody(const struct gate *gate, const struct command_principal *principal)
{
        struct command_principal anybody;

        gate_admit_anybody(gate, &anybody);
        return strcmp(principal->name, anybody.name) != 0;
}

/* The principal is known: may it come in as what it says? */
static enum mqtt_reason judge(struct gate_admission *admission,
                              const struct command_principal *principal,
                              enum access_known_by known_by)
{
        struct gate *gate = admission->gate;
        struct gate_caller *caller = admission->caller;

        if (principal->role == COMMAND_ROLE_NONE) {
                deny(gate, caller, "it shows no password, which is the token of a user");
                return MQTT_NOT_AUTHORIZED;
        }
        if (admission->with_password && !has_name(gate, admission->user, principal)) {
                deny(gate, caller, "its user name is not the name of its token");
                return MQTT_NOT_AUTHORIZED;
        }
        if (admission->will.length > 0 && principal->role < COMMAND_ROLE_OPERATOR) {
                deny(gate, caller, "its role may not publish, and so leaves no will");
                return MQTT_NOT_AUTHORIZED;
        }
        if (gate_caller_know(caller, principal, known_by, is_somebody(gate, principal)) < 0)
                return MQTT_SERVER_BUSY;
        if (admission->will.length > 0 && !gate_caller_may(caller, ACL_WRITE, admission->will)) {
                deny(gate, caller, "it may not publish its will");
                return MQTT_NOT_AUTHORIZED;
        }
        return MQTT_SUCCESS;
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
        answer->owner = access_owner(admission->caller->rights->user);
        answer->response_information = admission->caller->response_topic;
}

static void admission_free(struct gate_admission *admission)
{
        list_remove(&admission->link);
        gate_caller_free(admission->caller);
        explicit_bzero(admission->token, sizeof(admission->token));
        free((char *)admission->will.bytes);
        free(admission);
}

/* Inside of the hook the answer is its to give, and the admission stays. */
static void finish(struct gate_admission *admission, enum mqtt_reason reason)
{
        conclude(admission, reason);
        if (admission->within)
                return;
        if (mqtt_broker_admit(admission->gate->broker, admission->answer.ticket,
                              &admission->answer) == 0)
                admission->caller = NULL; /* the broker's */
        admission_free(admission);
}

static void take_step(struct gate_admission *admission);

static void on_identified(void *context, int result, const struct command_principal *principal,
                          const struct error *error, uint64_t retry_ms)
{
        struct gate_admission *admission = context;

        (void)error;    /* access has told of it */
        (void)retry_ms; /* CONNACK has no place for it */
        if (!admission->gate)
                admission_free(admission);
        else if (result == 0)
                finish(admission, judge(admission, principal, ACCESS_KNOWN_BY_WORD));
        else if (result == -EAGAIN)
                finish(admission, MQTT_SERVER_BUSY);
        else
                take_step(admission);
}

static enum mqtt_reason judge_user(struct gate_admission *admission)
{
        struct gate *gate = admission->gate;
        struct mqtt_text name = {admission->user, (uint16_t)strlen(admission->user)};
        const struct user *user = user_table_find(gate->rules.users, name);
        struct command_principal principal = {.role = gate_user_role(user)};

        memcpy(principal.name, admission->user, sizeof(principal.name));
        return judge(admission, &principal, ACCESS_KNOWN_BY_PASSWORD);
}

static void conclude_login(struct gate_admission *admission, enum login_result result)
{
        if (result == LOGIN_GOOD)
                finish(admission, judge_user(admission));
        else if (result == LOGIN_WRONG || admission->next == STEP_END)
                take_step(admission);
        else
                finish(admission, MQTT_SERVER_BUSY);
}

static void on_login(struct login_attempt *attempt, enum login_result result)
{
        struct gate_admission *admission = container_of(attempt, struct gate_admission, attempt);

        if (!admission->gate)
                admission_free(admission);
        else
                conclude_login(admission, result);
}

static void log_in(struct gate_admission *admission)
{
        struct gate *gate = admission->gate;
        struct mqtt_text user = {admission->user, (uint16_t)strlen(admission->user)};
        struct mqtt_text password = {admission->token, (uint16_t)strlen(admission->token)};
        enum login_result result;

        admission->attempt.on_answer = on_login;
        result = login_begin(&gate->login, &gate->rules, admission->caller->session.origin_key,
                             user, password, &admission->attempt);
        if (result != LOGIN_PENDING)
                conclude_login(admission, result);
}

/* It was neither a user's password nor a token before: what is next? */
static void take_step(struct gate_admission *admission)
{
        bool is_made = token_form(admission->token) == TOKEN_MADE;
        bool has_both = admission->gate->rules.users && admission->user[0] != '\0';

        switch (admission->next) {
        case STEP_TOKEN:
                admission->next = has_both && is_made ? STEP_USER : STEP_END;
                command_registry_identify(admission->gate->registry, &admission->caller->session,
                                          admission->token, on_identified, admission);
                break;
        case STEP_USER:
                admission->next = has_both && !is_made ? STEP_TOKEN : STEP_END;
                log_in(admission);
                break;
        case STEP_END:
                finish(admission, MQTT_NOT_AUTHORIZED);
                break;
        }
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

        if (connect->user.length >= sizeof(admission->user) ||
            copy_token(connect->password, admission->token) < 0) {
                deny(gate, admission->caller, "no user has such a name or password");
                finish(admission, MQTT_NOT_AUTHORIZED);
                return;
        }
        admission->with_password = true;
        memcpy(admission->user, connect->user.bytes ? connect->user.bytes : "",
               connect->user.length);
        /* Tokens that were made are known at once. */
        admission->next = !gate->rules.users || admission->user[0] == '\0' ||
                                          token_form(admission->token) == TOKEN_MADE
                                  ? STEP_TOKEN
                                  : STEP_USER;
        take_step(admission);
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
                finish(admission, MQTT_NOT_AUTHORIZED);
        } else if (connect->has_password) {
                identify(admission, connect);
        } else {
                gate_admit_without_password(gate, who, &anybody);
                finish(admission, judge(admission, &anybody, ACCESS_KNOWN_BY_WORD));
        }
}

static int keep_will(struct gate_admission *admission, const struct mqtt_connect *connect)
{
        struct mqtt_text topic = connect->will.topic;

        if (!connect->has_will)
                return 0;
        admission->will = (struct mqtt_text){strndup(topic.bytes, topic.length), topic.length};
        return admission->will.bytes ? 0 : -ENOMEM;
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
        admission->within = true;
        if (gate->stopping || keep_will(admission, connect) < 0 ||
            gate_caller_new(gate, who, &admission->caller) < 0) {
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
        struct mqtt_quoted id;

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
                 mqtt_quote(caller->client_id, &id), principal->name,
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
