/* agent/builtin/procfs.h - what the kernel counts: processor, memory, load, network, disk.
 *
 * Each fact has a parser, text to value (proc(5) has the formats), and a reader that
 * finds the text. Parsers take any bytes: what is not there or does not fit its format is
 * -ENODATA or -EBADMSG, a number beyond its type -ERANGE; outputs are untouched then.
 * Readers add -errno of reading. */
#pragma once

#include "agent/builtin/roots.h"

#include <stddef.h>
#include <stdint.h>

enum { PROCFS_TEXT_MAX = 16384, PROCFS_INTERFACES_MAX = 64, PROCFS_INTERFACE_NAME_MAX = 32 };

struct procfs_cpu {
        uint64_t busy_ticks, total_ticks; /* of all processors, since boot */
};
/* The time waiting for a disk counts as idle, that stolen by a hypervisor as busy. */
int procfs_cpu_parse(const char *text, struct procfs_cpu *ret);
int procfs_cpu(const struct roots *roots, struct procfs_cpu *ret);

struct procfs_memory {
        uint64_t total_bytes, available_bytes; /* available <= total, total > 0 */
};
int procfs_memory_parse(const char *text, struct procfs_memory *ret);
int procfs_memory(const struct roots *roots, struct procfs_memory *ret);

/* Over 1, 5 and 15 minutes. */
int procfs_load_parse(const char *text, double ret[3]);
int procfs_load(const struct roots *roots, double ret[3]);

int procfs_uptime_parse(const char *text, double *ret_seconds);
int procfs_uptime(const struct roots *roots, double *ret_seconds);

struct procfs_interface {
        char name[PROCFS_INTERFACE_NAME_MAX];
        uint64_t received_bytes, sent_bytes; /* since the interface exists */
};
/* Fills `interfaces` in the file's order, at most `max`. Lines that are none of an
 * interface are passed over. Returns how many; -ENODATA: not one. */
int procfs_network_parse(const char *text, struct procfs_interface interfaces[], size_t max);
int procfs_network(const struct roots *roots, struct procfs_interface interfaces[], size_t max);

/* The value of the first line "NAME : value" (/proc/cpuinfo). -EMSGSIZE: too long. */
int procfs_field(const char *text, const char *name, char *ret, size_t size);
/* "3.25" without regard to locales; what follows the number is not looked at. */
int procfs_decimal(const char *text, double *ret);

struct procfs_disk {
        uint64_t total_bytes, used_bytes, free_bytes; /* free: to users other than root */
};
/* Of the file system that holds `path`, from statvfs(3). -errno; -ENODATA: no blocks. */
int procfs_disk(const char *path, struct procfs_disk *ret);
