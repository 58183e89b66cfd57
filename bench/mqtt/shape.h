/* bench/mqtt/shape.h - who publishes to whom, and by which topics. Pure. */
#pragma once

enum shape {
        SHAPE_FAN_IN,  /* all publishers to each receiver: one receiver */
        SHAPE_FAN_OUT, /* all publishers to all receivers */
        SHAPE_PAIRS,   /* each publisher to the receiver of its number */
        SHAPE_FLEET,   /* to one receiver: who has a filter for the device, a random one */
};

enum {
        SHAPE_TOPIC_SIZE = 64,
        /* Of a fleet: each filter is of another device, whose number says of which kind it is. */
        SHAPE_FLEET_KINDS = 3,
};

/* `number`: of the receiver; of a fleet, of the device. */
void shape_print_filter(enum shape shape, unsigned number, char text[static SHAPE_TOPIC_SIZE]);
/* A publisher of a fleet publishes to filters of one kind, so that all its messages have one
 * length; the device is "pi-" and six digits, to be replaced. */
void shape_print_topic(enum shape shape, unsigned publisher, char text[static SHAPE_TOPIC_SIZE]);
