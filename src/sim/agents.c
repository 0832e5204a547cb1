/* The user agents of the catalog. */
#include "sim/catalog.h"

#include <stddef.h>

#define IPHONE "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) "
#define IPAD "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) "
#define MAC "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
#define ANDROID "Mozilla/5.0 (Linux; Android 10; K) "
#define WINDOWS "Mozilla/5.0 (Windows NT 10.0; Win64; x64) "
#define LINUX "Mozilla/5.0 (X11; Linux x86_64) "
#define CROS "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) "
#define WEBKIT "AppleWebKit/605.1.15 (KHTML, like Gecko) "
#define BLINK "AppleWebKit/537.36 (KHTML, like Gecko) "
#define CHROME BLINK "Chrome/#.0.0.0 "

static const char *const agents[6][6] = {
    [CM_SIM_IOS] = {[CM_SIM_SAFARI] = IPHONE WEBKIT "Version/# Mobile/15E148 Safari/604.1",
                    [CM_SIM_CHROME] = IPHONE WEBKIT "CriOS/#.0.7499.95 Mobile/15E148 Safari/604.1",
                    [CM_SIM_SOCIAL] = IPHONE WEBKIT "Mobile/15E148 [FBAN/FBIOS;FBAV/#.0.0.44.67;"
                                                    "FBSN/iOS]"},
    [CM_SIM_ANDROID] = {[CM_SIM_CHROME] = ANDROID CHROME "Mobile Safari/537.36",
                        [CM_SIM_FIREFOX] =
                            "Mozilla/5.0 (Android ^; Mobile; rv:#.0) Gecko/#.0 Firefox/#.0",
                        [CM_SIM_SAMSUNG] = ANDROID BLINK
                        "SamsungBrowser/#.0 Chrome/136.0.0.0 Mobile Safari/537.36",
                        [CM_SIM_SOCIAL] = "Mozilla/5.0 (Linux; Android ^; ~; wv) " BLINK
                                          "Version/4.0 Chrome/143.0.7499.34 Mobile Safari/537.36 "
                                          "[FB_IAB/FB4A;FBAV/#.0.0.35.109;]"},
    [CM_SIM_WINDOWS] = {[CM_SIM_CHROME] = WINDOWS CHROME "Safari/537.36",
                        [CM_SIM_FIREFOX] = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:#.0) "
                                           "Gecko/20100101 Firefox/#.0",
                        [CM_SIM_EDGE] = WINDOWS CHROME "Safari/537.36 Edg/#.0.0.0"},
    [CM_SIM_MACOS] = {[CM_SIM_SAFARI] = MAC WEBKIT "Version/# Safari/605.1.15",
                      [CM_SIM_CHROME] = MAC CHROME "Safari/537.36",
                      [CM_SIM_FIREFOX] = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:#.0) "
                                         "Gecko/20100101 Firefox/#.0"},
    [CM_SIM_LINUX] = {[CM_SIM_CHROME] = LINUX CHROME "Safari/537.36",
                      [CM_SIM_FIREFOX] =
                          "Mozilla/5.0 (X11; Linux x86_64; rv:#.0) Gecko/20100101 Firefox/#.0"},
    [CM_SIM_CHROMEOS] = {[CM_SIM_CHROME] = CROS CHROME "Safari/537.36"},
};

const char *cm_sim_agent_template(cm_sim_kind kind, cm_sim_os os, cm_sim_browser browser)
{
    static const char *const tablets[2][5] = {
        [CM_SIM_IOS] = {[CM_SIM_SAFARI] = IPAD WEBKIT "Version/# Mobile/15E148 Safari/604.1",
                        [CM_SIM_CHROME] =
                            IPAD WEBKIT "CriOS/#.0.7499.95 Mobile/15E148 Safari/604.1"},
        [CM_SIM_ANDROID] = {[CM_SIM_CHROME] = ANDROID CHROME "Safari/537.36",
                            [CM_SIM_FIREFOX] =
                                "Mozilla/5.0 (Android ^; Tablet; rv:#.0) Gecko/#.0 Firefox/#.0",
                            [CM_SIM_SAMSUNG] =
                                ANDROID BLINK "SamsungBrowser/#.0 Chrome/136.0.0.0 Safari/537.36"},
    };
    return kind == CM_SIM_TABLET ? tablets[os][browser] : agents[os][browser];
}

const char *const cm_sim_bot_agents[] = {LINUX BLINK "HeadlessChrome/12#.0.0.0 Safari/537.36",
                                         WINDOWS BLINK "Chrome/13#.0.0.0 Safari/537.36",
                                         "python-requests/2.3#.0", "Go-http-client/2.0",
                                         LINUX BLINK "Chrome/9#.0.4430.212 Safari/537.36"};
const uint8_t cm_sim_bot_agent_percents[] = {24, 41, 9, 8, 18};
