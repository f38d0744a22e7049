#ifndef FENCED_OBJECT_H
#define FENCED_OBJECT_H

#define FENCED_OBJECT_MARK "here the pages of the fenced object begin"
#define FENCED_OBJECT_BYTES (6 * 4096)

#endif
