/* libc behind the names that the library exports in its place. */
#pragma once

#include "RealLibC.h"
