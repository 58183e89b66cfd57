/* What is looked at before a module runs: size and signature, then layers one to four, which
 * are the validator's. */
#include "agent/handler/deployment-internal.h"

#include "agent/handler/source-text.h"

#include <string.h>

static void on_validated(void *owner, enum validation_verdict verdict, const char *why)
{
        struct deployment *deployment = owner;

        deployment->validation = validation_free(deployment->validation);
        if (deployment->concluded)
                return;
        if (verdict == VALIDATION_FAILED) {
                deployment_fail(deployment, COMMAND_NOT_READY,
                                "%s could not be checked: %s; nothing was changed",
                                deployment->order.filename, why);
                return;
        }
        if (verdict == VALIDATION_REFUSED) {
                deployment_reject(deployment);
                return;
        }
        if (deployment->object_fd >= 0 &&
            source_text_close_writing(deployment->object_fd, HANDLER_OBJECT_MAX) < 0) {
                deployment_refuse(deployment, DIAGNOSIS_QUOTA,
                                  "What the compiler made of %s is larger than %d MiB, or nothing",
                                  deployment->order.filename, HANDLER_OBJECT_MAX >> 20);
                return;
        }
        deployment->validated = true;
        deployment_load_candidate(deployment);
        if (deployment->concluded)
                return;
        if (deployment->order.kind == DEPLOYMENT_CHECK ||
            deployment->order.kind == DEPLOYMENT_RELOAD)
                deployment->staged = true;
        else
                deployment_to_disk(deployment, DISK_STAGE);
}

static void start_validation(struct deployment *deployment)
{
        struct handler *handler = deployment->handler;
        const struct validation_setup setup = {
                .loop = handler->loop,
                .spawner = handler->spawner,
                .launch = handler->launch,
                .filename = deployment->order.filename,
                .code_fd = deployment->code_fd,
                .object_fd = deployment->object_fd,
                .diagnosis = &deployment->diagnosis,
        };
        int r = validation_start(&setup, on_validated, deployment, &deployment->validation);

        if (r < 0)
                deployment_fail(deployment, COMMAND_NOT_READY,
                                "%s could not be checked: the validator could not be started: %s",
                                deployment->order.filename, strerror(-r));
}

static bool signature_is_good(struct deployment *deployment)
{
        const struct handler_config *config = deployment->handler->config;
        const struct deployment_order *order = &deployment->order;
        struct minisign_key keys[HANDLER_CONFIG_KEYS_MAX];
        size_t count = handler_config_keys(config, keys);
        struct error error;

        if (!order->signature) {
                if (config->require_signature)
                        deployment_refuse(
                                deployment, DIAGNOSIS_SECURITY,
                                "Signature missing: only code signed by a trusted key is accepted "
                                "(pifleet sign makes one)");
                return !config->require_signature;
        }
        if (minisign_verify(order->signature, strlen(order->signature), order->code, order->length,
                            keys, count, NULL, &error) == 0)
                return true;
        deployment_refuse(deployment, DIAGNOSIS_SECURITY, "Signature refused: %s", error.text);
        return false;
}

/* False: it is over. */
static bool check_code(struct deployment *deployment)
{
        const struct deployment_order *order = &deployment->order;
        bool fresh = order->kind == DEPLOYMENT_UPDATE || order->kind == DEPLOYMENT_CHECK;
        int r;

        if (order->length > HANDLER_SOURCE_MAX) {
                deployment_refuse(deployment, DIAGNOSIS_QUOTA,
                                  "The code has %zu bytes; a module has %d at most", order->length,
                                  HANDLER_SOURCE_MAX);
                return false;
        }
        if (fresh && !signature_is_good(deployment))
                return false;
        handler_sha256(order->code, order->length, deployment->sha256);
        if (order->kind == DEPLOYMENT_UPDATE && runner_disabled(deployment->runner)[0] == '\0' &&
            strcmp(deployment->sha256, runner_version(deployment->runner)->version.sha256) == 0) {
                deployment_reply_unchanged(deployment);
                deployment_conclude(deployment, NULL, NULL, NULL);
                return false;
        }
        r = source_text_seal(order->filename, order->code, order->length, &deployment->code_fd);
        if (r == 0 && launch_is_compiled(order->filename))
                r = source_text_open(order->filename, &deployment->object_fd);
        if (r < 0)
                deployment_fail(deployment, COMMAND_BUSY, "no room in memory for %s: %s",
                                order->filename, strerror(-r));
        return r == 0;
}

void deployment_try_out(struct deployment *deployment)
{
        if (!check_code(deployment) || !deployment_start_candidate(deployment))
                return;
        if (deployment->order.kind == DEPLOYMENT_RELOAD && deployment->object_fd < 0) {
                deployment->validated = deployment->staged = true;
                deployment_load_candidate(deployment);
        } else {
                start_validation(deployment);
        }
}
