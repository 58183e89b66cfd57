/* mqtt/metrics.h - a broker's figures for Prometheus (data/prometheus.h).
 *
 * Names begin with pifleet_mqtt_, counters end in _total. Nothing is said of single clients:
 * that is for clients.h. */
#pragma once

#include "data/prometheus.h"
#include "mqtt/broker.h"

void mqtt_metrics_put(const struct mqtt_broker *broker, struct prometheus_writer *writer);
