#ifndef NPUSIM_CROSSPATH_H
#define NPUSIM_CROSSPATH_H

// Runs the loops of CDatapath with seeded inputs, without Swift: see run.sh.

#include <stddef.h>
#include <stdint.h>

#include "CDatapath.h"

/// SplitMix64.
struct generator {
  uint64_t state;
};

uint64_t next_word(struct generator *random);

/// A number from `least` to `most`.
ptrdiff_t next_between(struct generator *random, ptrdiff_t least, ptrdiff_t most);

/// An FP32 value of one of the kinds: any word, around one, subnormal, near overflow, special.
float next_float(struct generator *random);

/// Memory of `bytes` bytes, never null, aligned to 64.
void *allocated(size_t bytes);

/// Compares products on two paths, `trials` random ones; the number of wrong trials.
int compare_products(npu_path path, npu_path expected, int trials);

/// Gives the words of a case to the file that is written, or compares them with the one that is
/// read.
typedef void (*sink)(void *context, const char *name, const void *words, size_t bytes);

/// Runs every loop of a path over the same inputs on any processor.
void run_loops(npu_path path, sink sink, void *context);

#endif
