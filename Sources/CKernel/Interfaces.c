#include "Interfaces.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include "CKernel.h"

static uint32_t address_of(const struct sockaddr *address) {
    return ((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr;
}

int kernel_network_length(int fd, uint32_t address) {
    struct ifreq interfaces[64];
    struct ifconf list = {.ifc_len = sizeof interfaces, .ifc_req = interfaces};
    if (kernel_call(SYS_ioctl, fd, SIOCGIFCONF, (long)&list, 0, 0, 0) < 0) return 32;
    for (struct ifreq *interface = interfaces; (char *)interface < (char *)interfaces + list.ifc_len; interface++) {
        if (address_of(&interface->ifr_addr) != address) continue;
        /* If the interface has several addresses, the kernel uses the one in the request. */
        if (kernel_call(SYS_ioctl, fd, SIOCGIFNETMASK, (long)interface, 0, 0, 0) < 0) return 32;
        return __builtin_popcount(address_of(&interface->ifr_netmask));
    }
    return 32;
}
