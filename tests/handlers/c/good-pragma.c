/* expect: valid */
#include <pifleet/handler.h>
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused"
#pragma GCC diagnostic pop
_Pragma("GCC diagnostic push") _Pragma("GCC diagnostic pop")
#pragma pack(push, 1)
struct wire {
        char a;
        int b;
};
#pragma pack(pop)

static int a(struct pifleet_call *call)
{
        (void)call;

        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
