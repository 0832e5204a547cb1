/* What runs on a device at a time: versions, and their names as browsers tell them. */
#ifndef CM_SIM_SOFTWARE_H
#define CM_SIM_SOFTWARE_H

#include "sim/device.h"
#include "sim/text.h"

/** The version of a browser on a device: rises as releases come out and the device takes them. */
unsigned cm_sim_version_at(const cm_sim_device *device, cm_sim_browser browser, int64_t time_us);

/** "iOS 26.3": at most 24 bytes. */
char *cm_sim_put_os(char *at, const cm_sim_device *device, int64_t time_us);

/** "Chrome 145": at most 32 bytes. */
char *cm_sim_put_browser(char *at, const cm_sim_device *device, cm_sim_browser browser,
                         int64_t time_us);

/** The user agent: at most 320 bytes. */
char *cm_sim_put_agent(char *at, const cm_sim_device *device, cm_sim_browser browser,
                       int64_t time_us);

/** A template of the catalog with # replaced by a version and ^ and ~ by names. */
char *cm_sim_put_template(char *at, const char *template, cm_slice version, const char *release,
                          const char *model);

#endif
