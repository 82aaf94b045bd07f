/* connecting-paced STEP MODE HOST PORT TIMES: see connecting.h. The clock advances STEP milliseconds with each
 * reading, and otherwise stands still. */
#include "clock.h"

#include "connecting.h"

int main(int count, char **arguments) {
    require(count == 6);
    clock_step = atol(arguments[1]);
    connect_and_say(arguments + 1);
}
