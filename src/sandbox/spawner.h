/* sandbox/spawner.h - the loop of pifleet-spawner.
 *
 * One thread. Runs until the asker's end of the channel is closed, the asker says
 * what it may not, or SIGTERM; then ends all programs, at most 8 s, and returns. */
#pragma once

#include "base/log.h"
#include "ipc/channel.h"
#include "sandbox/site.h"

struct spawner;

/* Takes over the channel. The site and the log have to live longer. -errno. */
int spawner_new(struct ipc_channel *channel, struct site *site, struct log *log,
                struct spawner **ret);
struct spawner *spawner_free(struct spawner *spawner);
DEFINE_CLEANUP(spawner)

/* 0: told to end; -EPROTO; -errno. */
int spawner_run(struct spawner *spawner);
