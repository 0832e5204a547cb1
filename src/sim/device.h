/* A device: what of it does not change from visit to visit. */
#ifndef CM_SIM_DEVICE_H
#define CM_SIM_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum cm_sim_kind {
    CM_SIM_PHONE = 0,
    CM_SIM_DESKTOP,
    CM_SIM_TABLET,
} cm_sim_kind;

typedef enum cm_sim_os {
    CM_SIM_IOS = 0,
    CM_SIM_ANDROID,
    CM_SIM_WINDOWS,
    CM_SIM_MACOS,
    CM_SIM_LINUX,
    CM_SIM_CHROMEOS,
} cm_sim_os;

typedef enum cm_sim_browser {
    CM_SIM_SAFARI = 0,
    CM_SIM_CHROME,
    CM_SIM_FIREFOX,
    CM_SIM_EDGE,
    CM_SIM_SAMSUNG,
    CM_SIM_SOCIAL, /* the social network's app; no device's own browser */
} cm_sim_browser;

/* How a household is connected. */
typedef struct cm_sim_isp {
    bool dual_stack;           /* IPv6 beside IPv4 */
    uint16_t ipv4_lease_hours; /* a new address so often */
    uint16_t ipv6_lease_hours; /* a new /64 so often */
    uint16_t sharers;          /* households behind one IPv4 address */
} cm_sim_isp;

typedef struct cm_sim_device {
    uint64_t id;
    uint64_t street;
    uint64_t household;
    cm_sim_isp isp;
    cm_sim_kind kind;
    cm_sim_os os;
    cm_sim_browser browser;
    uint8_t release;           /* of the OS, among those in use */
    uint8_t screen;            /* index into the catalog */
    uint8_t zone;              /* index into the catalog */
    uint16_t odd_pixels;       /* taken off a desktop's screen size: scaling and docks */
    uint16_t update_lag_hours; /* from a release to its use */
    uint32_t office;           /* 0: none; else a draw that selects it */
    bool relay;                /* surfs through a relay */
    bool carrier_ipv6;         /* its carrier gives IPv6 beside IPv4 */
    bool unhashed;             /* its events carry components instead of a hash */
    bool imaged;               /* a company's desktop, set up as all of its office */
    uint8_t roaming;           /* percent of its days out of home; phones */
    uint8_t eagerness;         /* percent of its clicks that may lead to a conversion */
} cm_sim_device;

/** A device of a person (not a bot), by its number. */
cm_sim_device cm_sim_device_at(uint64_t seed, uint64_t id);

/** Its kind alone, which costs less. */
cm_sim_kind cm_sim_device_kind(uint64_t seed, uint64_t id);

/** A member of the device's household drawn by `draw`; the device itself where it lives alone. */
uint64_t cm_sim_device_mate(uint64_t seed, uint64_t id, uint64_t draw);

#endif
