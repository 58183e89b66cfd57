#include "loop/signal.h"

#include "loop/loop-internal.h"

static void on_uv_signal(uv_signal_t *watch, int number)
{
        struct loop_signal *signal = watch->data;

        signal->on_signal(signal);
}

int loop_signal_open(struct loop_signal *signal, struct loop *loop, int number,
                     loop_signal_fn *on_signal)
{
        int r = uv_signal_init(&loop->uv, &signal->watch);

        if (r < 0)
                return r;
        signal->watch.data = signal;
        signal->on_signal = on_signal;
        signal->number = number;
        r = uv_signal_start(&signal->watch, on_uv_signal, number);
        if (r < 0)
                loop_signal_close(signal);
        return r;
}

void loop_signal_close(struct loop_signal *signal)
{
        uv_close((uv_handle_t *)&signal->watch, NULL);
}
