/* expect: valid */
#include <pifleet/handler.h>
#include <pthread.h>
static void *work(void *x)
{
        return x;
}

static int a(struct pifleet_call *call)
{
        (void)call;
        pthread_t t;
        if (pthread_create(&t, NULL, work, NULL) == 0)
                pthread_join(t, NULL);
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
