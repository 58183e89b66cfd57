/* agent/gate/admission.h - CONNECT: whose password is that?
 *
 * Tokens that people chose are verified off the loop; the broker waits (mqtt/question.h). */
#pragma once

#include "agent/gate/gate-internal.h"

/* The hooks of the broker; `owner` is the gate. */
void gate_on_connect(void *owner, const struct mqtt_who *who, const struct mqtt_connect *connect,
                     struct mqtt_admission *answer);
void gate_on_answered(void *owner, void *identity, enum mqtt_reason reason);
/* The gate is going; whose passwords are verified still is nobody's any more. */
void gate_admissions_orphan(struct gate *gate);
