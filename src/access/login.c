#include "access/login.h"

#include "base/attributes.h"
#include "proto/token.h"

#include <errno.h>
#include <string.h>

static struct verifier_question question_of(const struct login_attempt *attempt,
                                            struct mqtt_text password, const char *const *hash)
{
        return (struct verifier_question){
                .whose = attempt->user.bytes,
                .whose_length = attempt->user.length,
                .secret = password.bytes,
                .secret_length = password.length,
                .hashes = hash,
                .hashes_count = 1,
                .decoy = attempt->decoy,
        };
}

static enum login_result failed(const struct login_attempt *attempt)
{
        const struct login *login = attempt->login;

        if (!login->uncounted)
                slowdown_failed(login->slowdown, attempt->origin, loop_now_ms(login->loop));
        return LOGIN_WRONG;
}

/* Machine-made tokens forgive nothing: they work while their address is slowed down, and who
 * guesses beside them must not gain from that. */
static enum login_result succeeded(const struct login_attempt *attempt)
{
        const struct login *login = attempt->login;

        if (password_hash_is_slow(attempt->hash))
                slowdown_succeeded(login->slowdown, attempt->origin, loop_now_ms(login->loop));
        return LOGIN_GOOD;
}

/* Another file may have been read meanwhile: was it that password of that user? */
static bool is_still_there(const struct login_attempt *attempt)
{
        const struct user_table *users = attempt->rules->users;
        const struct user *user = users ? user_table_find(users, attempt->user) : NULL;

        return user && user->hash && strcmp(user->hash, attempt->hash) == 0;
}

static void on_verified(struct verifier_waiter *waiter, int result, size_t index, bool first)
{
        struct login_attempt *attempt = container_of(waiter, struct login_attempt, waiter);
        enum login_result answer;

        (void)index;
        if (result == 1)
                answer = is_still_there(attempt) ? succeeded(attempt) : LOGIN_BUSY;
        else if (result == 0)
                /* The same guess, sent several times at once, counts once. */
                answer = first ? failed(attempt) : LOGIN_WRONG;
        else
                answer = result == -EACCES ? LOGIN_SLOWED : LOGIN_BUSY;
        attempt->on_answer(attempt, answer);
}

/* Whole tokens cannot be guessed. */
static bool is_token(const struct login_attempt *attempt, struct mqtt_text password)
{
        char text[TOKEN_MADE_LENGTH + 1];
        bool is;

        if (password.length != TOKEN_MADE_LENGTH || password_hash_is_slow(attempt->hash) ||
            memchr(password.bytes, '\0', password.length))
                return false;
        memcpy(text, password.bytes, password.length);
        text[password.length] = '\0';
        is = token_form(text) == TOKEN_MADE;
        explicit_bzero(text, sizeof(text));
        return is;
}

static enum login_result verify_now(const struct login_attempt *attempt, struct mqtt_text password)
{
        int r = password_hash_verify(attempt->hash, password.bytes, password.length);

        return r == 1 && !attempt->decoy ? succeeded(attempt) : failed(attempt);
}

static enum login_result verify_later(struct login_attempt *attempt, struct mqtt_text password)
{
        const struct login *login = attempt->login;
        const char *hash = attempt->hash;
        struct verifier_question question = question_of(attempt, password, &hash);
        size_t index;

        if (verifier_recall(login->verifier, &question, &index) == 1)
                return succeeded(attempt);
        attempt->waiter = (struct verifier_waiter){.on_verified = on_verified};
        return verifier_submit(login->verifier, attempt->origin, &question, &attempt->waiter) == 0
                       ? LOGIN_PENDING
                       : LOGIN_BUSY;
}

/* Whose hash is looked at; -ENOENT: there is none at all. */
static int choose_user(struct login_attempt *attempt, struct mqtt_text name)
{
        const struct user_table *users = attempt->rules->users;
        const struct user *user = NULL;

        if (!users)
                return -ENOENT;
        if (name.length <= USER_NAME_MAX)
                user = user_table_find(users, name);
        attempt->decoy = !user || !user->hash;
        if (attempt->decoy)
                user = user_table_decoy(users, name);
        if (!user)
                return -ENOENT;
        if (name.length > USER_NAME_MAX)
                name.length = USER_NAME_MAX;
        memcpy(attempt->name, name.bytes, name.length);
        attempt->user = (struct mqtt_text){attempt->name, name.length};
        strcpy(attempt->hash, user->hash);
        return 0;
}

enum login_result login_begin(const struct login *login, const struct access_rules *rules,
                              uint64_t origin, struct mqtt_text user, struct mqtt_text password,
                              struct login_attempt *attempt)
{
        bool slowed = slowdown_wait_ms(login->slowdown, origin, loop_now_ms(login->loop)) > 0;

        attempt->login = login;
        attempt->rules = rules;
        attempt->origin = origin;
        if (choose_user(attempt, user) < 0)
                return slowed ? LOGIN_SLOWED : failed(attempt);
        if (slowed && !is_token(attempt, password))
                return LOGIN_SLOWED;
        if (password.length == 0 || password.length > PASSWORD_MAX)
                return failed(attempt);
        return password_hash_is_slow(attempt->hash) ? verify_later(attempt, password)
                                                    : verify_now(attempt, password);
}
