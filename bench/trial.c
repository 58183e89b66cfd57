#include "bench/trial.h"

#include "bench/number.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>

struct trial trial_default(void)
{
        return (struct trial){
                .address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                .warm_up_ms = 300,
                .window_ms = 2000,
                .cpu = -1,
        };
}

int trial_parse(struct trial *trial, int letter, const char *text)
{
        unsigned value = 0;
        int r;

        switch (letter) {
        case 'h':
                if (inet_pton(AF_INET, text, &trial->address.sin_addr) == 1)
                        return 0;
                fprintf(stderr, "%s: '%s' is not an IPv4 address\n", program_invocation_short_name,
                        text);
                return -EINVAL;
        case 'p':
                r = number_parse(text, 65535, &value);
                trial->address.sin_port = htons((uint16_t)value);
                return r;
        case 'u':
                return number_parse(text, 60000, &trial->warm_up_ms);
        case 'w':
                return number_parse(text, 600000, &trial->window_ms);
        case 'c':
                r = number_parse(text, CPU_SETSIZE - 1, &value);
                trial->cpu = (int)value;
                return r;
        case 's':
                r = number_parse(text, INT32_MAX, &value);
                trial->server = (int)value;
                return r;
        default:
                return 1;
        }
}
