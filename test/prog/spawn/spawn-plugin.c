/* A plugin that is loaded with RTLD_DEEPBIND: these names are libc's here. */
#include "spawn-plugin.h"

#define X(name) .name = name,
const struct spawn_names spawn_names = { SPAWN_NAMES(X) };
#undef X
