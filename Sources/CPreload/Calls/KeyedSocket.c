#include "KeyedSocket.h"

#include "CKernel.h"
#include "InheritedEnvironment.h"
#include "NetworkFilter.h"

long keyed_socket(int domain, int type, int protocol) {
    long result = kernel_socket(domain, type, protocol);
    if (result != -EACCES) return result;
    uint64_t key = network_key(environment_captured("SOCKSIFY_TABLE"));
    return key ? kernel_call(SYS_socket, domain, type, protocol, (long)key, 0, 0) : result;
}
