#pragma once
#include "CLibC.h"
