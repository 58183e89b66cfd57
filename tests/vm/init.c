/* init.c - the first process of the test machine.
 *
 * Lays the host's root, read only, beneath a file system in memory, runs one
 * command and powers off. Under systemd it runs twice: as the first process,
 * which becomes systemd, and as the unit that runs the command.
 *
 * VM_SHARE is the folder that the machine has in common with the host:
 *   command, out, err, status    a shell script, what it prints, how it ends
 *   rw                           the host's folders that may be written to
 *   seed                         for the random numbers
 * VM_MODE says what is started first (run, systemd). The kernel hands both over
 * from its command line as the environment. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/random.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Nobody could mend what fails here: the words reach the console, the machine ends. */
static void must(int result, const char *what)
{
        if (result >= 0)
                return;
        perror(what);
        sync();
        reboot(RB_POWER_OFF);
        _exit(1);
}

static const char *variable(const char *name)
{
        const char *value = getenv(name);

        must(value ? 0 : -1, name);
        return value;
}

static void write_file(const char *path, const char *text)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

        must(fd < 0 ? -1 : (int)write(fd, text, strlen(text)), path);
        close(fd);
}

/* --- what the machine sees --------------------------------------------------------------- */

static void mount_at(const char *target, const char *type, const char *options)
{
        (void)mkdir(target, 0755); /* mostly there; else mounting says so */
        must(mount(type, target, type, 0, options), target);
}

static void mount_host(const char *folder, int number)
{
        char tag[16];

        snprintf(tag, sizeof(tag), "share%d", number);
        must(mount(tag, folder, "9p", 0, "trans=virtio,version=9p2000.L,cache=none,msize=262144"),
             folder);
}

static void make_root(void)
{
        mount_at("/mnt", "tmpfs", NULL);
        must(mkdir("/mnt/upper", 0755), "/mnt/upper");
        must(mkdir("/mnt/work", 0755), "/mnt/work");
        mount_at("/mnt/root", "overlay", "lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work");
        must(chdir("/mnt/root"), "/mnt/root");
        must((int)syscall(SYS_pivot_root, ".", "mnt"), "pivot_root");
        must(umount2("/mnt", MNT_DETACH), "/mnt");

        mount_at("/proc", "proc", NULL);
        mount_at("/sys", "sysfs", NULL);
        mount_at("/sys/fs/cgroup", "cgroup2", NULL);
        mount_at("/sys/kernel/config", "configfs", NULL);
        mount_at("/sys/kernel/debug", "debugfs", NULL);
        mount_at("/sys/kernel/security", "securityfs", NULL);
        mount_at("/dev", "devtmpfs", NULL);
        mount_at("/dev/pts", "devpts", "gid=5,mode=620,ptmxmode=666");
        mount_at("/dev/shm", "tmpfs", NULL);
        mount_at("/run", "tmpfs", "mode=755");
        must(symlink("/proc/self/fd", "/dev/fd"), "/dev/fd");
        must(symlink("fd/0", "/dev/stdin"), "/dev/stdin");
        must(symlink("fd/1", "/dev/stdout"), "/dev/stdout");
        must(symlink("fd/2", "/dev/stderr"), "/dev/stderr");
}

static void mount_shared(void)
{
        char folder[4096];
        FILE *rw;

        mount_host(variable("VM_SHARE"), 0);
        must(chdir(variable("VM_SHARE")), "VM_SHARE");
        rw = fopen("rw", "re");
        must(rw ? 0 : -1, "rw");
        for (int i = 1; fgets(folder, sizeof(folder), rw); i++) {
                folder[strcspn(folder, "\n")] = '\0';
                mount_host(folder, i);
        }
        fclose(rw);
        /* What the command prints is to reach the host at once. */
        write_file("/proc/sys/vm/dirty_writeback_centisecs", "5");
        write_file("/proc/sys/vm/dirty_expire_centisecs", "5");
}

/* Without it the first reader of random numbers may wait for minutes. */
static void seed_random(void)
{
        int seed = open("seed", O_RDONLY | O_CLOEXEC);
        int random = open("/dev/urandom", O_WRONLY | O_CLOEXEC);
        struct {
                struct rand_pool_info info;
                char bytes[64];
        } pool;

        must(seed, "seed");
        must(random, "/dev/urandom");
        pool.info.buf_size = (int)read(seed, pool.bytes, sizeof(pool.bytes));
        pool.info.entropy_count = 8 * pool.info.buf_size;
        must(ioctl(random, RNDADDENTROPY, &pool), "seed");
        close(seed);
        close(random);
}

static void loopback_up(void)
{
        struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        must(ioctl(fd, SIOCSIFFLAGS, &loopback), "lo");
        close(fd);
}

/* --- the command ------------------------------------------------------------------------- */

static void become_command(void)
{
        must(setsid(), "setsid");
        must(dup2(open("/dev/null", O_RDONLY), STDIN_FILENO), "/dev/null");
        must(dup2(open("out", O_WRONLY | O_APPEND), STDOUT_FILENO), "out");
        must(dup2(open("err", O_WRONLY | O_APPEND), STDERR_FILENO), "err");
        execl("/bin/sh", "sh", "command", (char *)NULL);
        _exit(127);
}

/* As the first process it is handed every orphan: those are reaped and not counted. */
static int wait_for(pid_t child)
{
        int status = 0;
        pid_t ended;

        do {
                ended = wait(&status);
                must(ended, "wait");
        } while (ended != child);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void run_command(void)
{
        pid_t child = fork();
        char text[16];

        must(child, "fork");
        if (child == 0)
                become_command();
        snprintf(text, sizeof(text), "%d\n", wait_for(child));
        write_file("status", text);
        sync();
        must(reboot(RB_POWER_OFF), "reboot");
}

int main(void)
{
        if (getpid() == 1) {
                make_root();
                mount_shared();
                seed_random();
                loopback_up();
                if (strcmp(variable("VM_MODE"), "systemd") == 0) {
                        /* Units are sought in the shared folder first: machine.service
                         * is there, and runs this program again. */
                        must(chdir("/"), "/");
                        execl("/lib/systemd/systemd", "systemd", "--unit=machine.service",
                              (char *)NULL);
                        must(-1, "/lib/systemd/systemd");
                }
        }
        must(chdir(variable("VM_SHARE")), "VM_SHARE");
        run_command();
        return 0;
}
