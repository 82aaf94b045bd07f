/* connecting-paced STEP MODE HOST PORT TIMES: see connecting.h; by a clock that goes on by STEP milliseconds with each
 * reading, and stands still else. */
#include "clock.h"

#include "connecting.h"

int main(int count, char **arguments) {
    require(count == 6);
    clock_step = atol(arguments[1]);
    connect_and_say(arguments + 1);
}
