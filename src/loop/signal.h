/* loop/signal.h - a signal as an event of the loop. */
#pragma once

#include "loop/loop.h"

struct loop_signal;
typedef void loop_signal_fn(struct loop_signal *signal);

struct loop_signal {
        uv_signal_t watch;
        loop_signal_fn *on_signal;
        int number;
};

int loop_signal_open(struct loop_signal *signal, struct loop *loop, int number,
                     loop_signal_fn *on_signal);
/* The memory must stay until the loop is freed. */
void loop_signal_close(struct loop_signal *signal);
