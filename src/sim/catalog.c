#include "sim/catalog.h"

#include <stddef.h>

const cm_sim_zone cm_sim_zones[] = {
    {"America/New_York", 300},    {"Europe/London", 0},     {"America/Los_Angeles", 480},
    {"Europe/Berlin", -60},       {"America/Chicago", 360}, {"Asia/Kolkata", -330},
    {"America/Sao_Paulo", 180},   {"Europe/Paris", -60},    {"Australia/Sydney", -660},
    {"Asia/Tokyo", -540},         {"Europe/Warsaw", -60},   {"Asia/Singapore", -480},
    {"Africa/Johannesburg", -120}};
const uint8_t cm_sim_zone_percents[] = {19, 14, 11, 12, 9, 8, 6, 6, 4, 4, 3, 2, 2};

static const cm_sim_screen iphones[] = {{393, 852, NULL}, {390, 844, NULL}, {402, 874, NULL},
                                        {430, 932, NULL}, {440, 956, NULL}, {414, 896, NULL},
                                        {375, 812, NULL}, {428, 926, NULL}, {375, 667, NULL}};
static const uint8_t iphone_percents[] = {22, 27, 11, 10, 6, 8, 7, 6, 3};

static const cm_sim_screen ipads[] = {{820, 1180, NULL}, {810, 1080, NULL},  {834, 1194, NULL},
                                      {744, 1133, NULL}, {1024, 1366, NULL}, {768, 1024, NULL}};
static const uint8_t ipad_percents[] = {30, 26, 16, 9, 9, 10};

static const cm_sim_screen androids[] = {
    {360, 780, "SM-S921B"}, {384, 832, "SM-S926B"},  {384, 854, "SM-S918B"},
    {412, 915, "SM-A546B"}, {393, 873, "2201117TG"}, {393, 851, "Pixel 7"},
    {412, 923, "Pixel 9"},  {360, 800, "SM-A145R"},  {385, 854, "SM-A155F"},
    {412, 892, "moto g54"}, {360, 806, "CPH2591"},   {392, 850, "23117RA68G"},
    {411, 914, "CPH2451"},  {360, 760, "SM-G991B"},  {432, 960, "V2250"},
    {320, 711, "SM-A065F"}};
static const uint8_t android_percents[] = {11, 4, 7, 13, 7, 4, 4, 14, 9, 6, 5, 5, 4, 4, 2, 1};

static const cm_sim_screen slates[] = {
    {800, 1280, "SM-X200"}, {753, 1205, "SM-X510"}, {840, 1344, "TB330FU"}, {602, 962, "KFTRWI"}};
static const uint8_t slate_percents[] = {44, 21, 20, 15};

static const cm_sim_screen monitors[] = {
    {1920, 1080, NULL}, {1536, 864, NULL},  {2560, 1440, NULL}, {1366, 768, NULL},
    {1440, 900, NULL},  {1512, 982, NULL},  {1680, 1050, NULL}, {1280, 720, NULL},
    {1600, 900, NULL},  {3840, 2160, NULL}, {1728, 1117, NULL}, {3440, 1440, NULL}};
static const uint8_t monitor_percents[] = {33, 15, 13, 7, 8, 6, 3, 4, 3, 3, 3, 2};

const cm_sim_screens *cm_sim_screens_of(cm_sim_kind kind, cm_sim_os os)
{
    static const cm_sim_screens all[] = {{iphones, iphone_percents},
                                         {androids, android_percents},
                                         {monitors, monitor_percents},
                                         {ipads, ipad_percents},
                                         {slates, slate_percents}};
    if (kind == CM_SIM_DESKTOP)
        return &all[2];
    return &all[(kind == CM_SIM_TABLET ? 3 : 0) + (os == CM_SIM_IOS ? 0 : 1)];
}

const char *const cm_sim_os_names[] = {"iOS", "Android", "Windows", "macOS", "Linux", "ChromeOS"};
const char *const cm_sim_releases[6][4] = {
    [CM_SIM_IOS] = {"", "18.6"},     [CM_SIM_ANDROID] = {"16", "15", "14", "13"},
    [CM_SIM_WINDOWS] = {"11", "10"}, [CM_SIM_MACOS] = {"", "15.7", "14.8"},
    [CM_SIM_LINUX] = {"x86_64"},     [CM_SIM_CHROMEOS] = {"14541"},
};
const uint8_t cm_sim_release_percents[6][4] = {
    [CM_SIM_IOS] = {79, 21},     [CM_SIM_ANDROID] = {27, 36, 22, 15},
    [CM_SIM_WINDOWS] = {64, 36}, [CM_SIM_MACOS] = {46, 38, 16},
    [CM_SIM_LINUX] = {100},      [CM_SIM_CHROMEOS] = {100},
};

const cm_sim_cycle cm_sim_cycles[] = {
    [CM_SIM_SAFARI] = {"Safari", 2, 24 * 47},
    [CM_SIM_CHROME] = {"Chrome", 143, 24 * 28},
    [CM_SIM_FIREFOX] = {"Firefox", 146, 24 * 28},
    [CM_SIM_EDGE] = {"Edge", 143, 24 * 28},
    [CM_SIM_SAMSUNG] = {"Samsung Internet", 29, 24 * 75},
    [CM_SIM_SOCIAL] = {"Facebook", 541, 24 * 7},
};
