/* expect: valid */
#include <pifleet/handler.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        struct gpiochip_info info = {0};
        int fd = open("/dev/gpiochip0", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (ioctl(fd, GPIO_GET_CHIPINFO_IOCTL, &info) < 0)
                info.lines = 0;
        close(fd);
        pifleet_put_integer(call, "lines", info.lines);
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
