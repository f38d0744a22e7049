#include "process/stance.h"

#include "arch/hot.h"

bool ff_mediated FF_HOT;
