/* How a deployment ends: refused, failed, or done, with its reply and the line of the update
 * log; and when nothing of it is under way any more. */
#include "agent/handler/deployment-internal.h"

#include <stdarg.h>
#include <stdio.h>

static void kill_candidate(struct deployment *deployment)
{
        if (deployment->candidate && !deployment->candidate_dying) {
                deployment->candidate_dying = true;
                host_kill(deployment->candidate);
        }
}

void deployment_conclude(struct deployment *deployment, const char *outcome, const char *layer,
                         const char *message)
{
        struct deployment_disk *disk = &deployment->disk;

        deployment->concluded = true;
        deployment->validation = validation_free(deployment->validation);
        kill_candidate(deployment);
        disk->outcome = outcome;
        disk->layer = layer;
        snprintf(disk->message, sizeof(disk->message), "%s", message ? message : "");
        if (!outcome && disk->change == 0)
                deployment->end_written = true;
        deployment_settle(deployment);
}

void deployment_settle(struct deployment *deployment)
{
        if (!deployment->concluded || deployment->disk.step != DISK_IDLE)
                return;
        if (!deployment->end_written) {
                deployment->end_written = true;
                if (deployment_disk_submit(deployment, DISK_END) == 0)
                        return;
        }
        if (deployment->candidate || (deployment->switched && !deployment->drained))
                return;
        deployment->ended(deployment->owner, deployment);
}

void deployment_reject(struct deployment *deployment)
{
        const char *sentence = diagnosis_sentence(&deployment->diagnosis);
        const char *layer = diagnosis_layer_name(deployment->diagnosis.layer);

        handler_publish(deployment->handler, HANDLER_EVENT_REJECTED, deployment->order.filename,
                        "%s: %s", layer, sentence ? sentence : "");
        deployment_reply_rejected(deployment);
        deployment_conclude(deployment, "rejected", layer, sentence);
}

void deployment_refuse(struct deployment *deployment, enum diagnosis_layer layer,
                       const char *format, ...)
{
        char text[DIAGNOSIS_MESSAGE_MAX + 1];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        (void)diagnosis_add(&deployment->diagnosis, layer, "%s", text);
        deployment_reject(deployment);
}

void deployment_fail(struct deployment *deployment, enum command_code code, const char *format, ...)
{
        char text[ERROR_TEXT_MAX];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        handler_publish(deployment->handler, HANDLER_EVENT_REJECTED, deployment->order.filename,
                        "%s", text);
        deployment_reply_failed(deployment, code, text);
        deployment_conclude(deployment, "failed", NULL, text);
}

void deployment_to_disk(struct deployment *deployment, enum deployment_disk_step step)
{
        if (deployment_disk_submit(deployment, step) < 0)
                deployment_fail(deployment, COMMAND_BUSY,
                                "the disk has too much to do; try again later");
}
