/*
 * Our names in the objects that are searched behind ours: libc's, or another
 * preload's. dlsym() says which. glibc before 2.34 has it in a library that few
 * programs have, and where a name is not, it allocates an error message. So
 * where libc is not known the objects are looked through as the dynamic linker
 * lists them, by what each file says of itself.
 */
#ifndef FF_LIBC_NEXT_H
#define FF_LIBC_NEXT_H

/* NULL: nobody has it. Context: none that may have interrupted the dynamic
 * linker. */
void *ff_libc_next(const char *name);

/* The same without dlsym(). */
void *ff_libc_next_by_tables(const char *name);

/*
 * Our own definition of @name is found no more: not by dlsym(), nor by objects
 * that are loaded later, which have it from somewhere else then, or see that
 * libc has not got it. Changes nothing where our file may not be changed in
 * memory. Who has it already, keeps it. Context: constructor.
 */
void ff_libc_withdraw(const char *name);

#endif
