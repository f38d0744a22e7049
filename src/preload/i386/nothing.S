/*
 * For programs of 32 bits, which LD_PRELOAD is set for as well: where $LIB in
 * it leads their dynamic linker to this object, it has nothing to complain
 * about. There is nothing in it.
 */
	.section .note.GNU-stack, "", @progbits
