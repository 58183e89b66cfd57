/* agent/builtin/system.h - system_info: what this machine is, for people and inventories. */
#pragma once

#include "agent/builtin/roots.h"
#include "data/json-writer.h"

#include <ifaddrs.h>
#include <stddef.h>

/* The members of system_info into an open object. `disk_path`: the file system to tell
 * about. */
void system_write(const struct roots *roots, const char *disk_path, struct json_writer *writer);

/* `addresses`: per interface its IPv4 and IPv6 addresses as texts, without loopback. At
 * most 256 entries of the list are looked at. */
void system_write_addresses(const struct ifaddrs *list, struct json_writer *writer);

/* PRETTY_NAME of os-release(5), without its quotes. -ENODATA: not there or empty;
 * -EBADMSG: a quote does not end; -EMSGSIZE: does not fit. `ret` is untouched then. */
int system_os_name_parse(const char *text, char *ret, size_t size);
