/* connecting MODE HOST PORT TIMES: see connecting.h. */
#include "connecting.h"

int main(int count, char **arguments) {
    require(count == 5);
    connect_and_say(arguments);
}
