/* An object with whole pages that nobody writes to when it is loaded. */
#include "fenced-object.h"

char fenced_object[FENCED_OBJECT_BYTES] = FENCED_OBJECT_MARK;
