#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CrossPath.h"

uint64_t next_word(struct generator *random) {
  random->state += 0x9e3779b97f4a7c15;
  uint64_t z = random->state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

ptrdiff_t next_between(struct generator *random, ptrdiff_t least, ptrdiff_t most) {
  return least + (ptrdiff_t)(next_word(random) % (uint64_t)(most - least + 1));
}

float next_float(struct generator *random) {
  const uint64_t word = next_word(random);
  uint32_t bits = (uint32_t)word;
  switch (word >> 61) {
  case 0:
    break;
  case 1:
    bits &= 0x807fffffu;
    break;
  case 2:
    bits = (bits & 0x81ffffffu) | 0x7c000000u;
    break;
  case 3:
    bits &= 0xffff8000u;
    break;
  default:
    // From 2^-17 to 2^15.
    bits = (bits & 0x807fffffu) | (uint32_t)(110 + (word >> 40) % 32) << 23;
  }
  if (word >> 50 == 77) bits = 0x7fc00000u;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

void *allocated(size_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 128) / 64 * 64);
  if (memory == NULL) {
    fputs("no memory\n", stderr);
    exit(2);
  }
  return memset(memory, 0, (bytes + 128) / 64 * 64);
}

static const char *const path_names[] = {"portable", "avx2", "avx512", "neon"};

static void write_case(void *context, const char *name, const void *words, size_t bytes) {
  (void)name;
  FILE *file = context;
  const uint64_t size = bytes;
  if (fwrite(&size, 8, 1, file) != 1 || (bytes > 0 && fwrite(words, bytes, 1, file) != 1)) {
    fputs("the file could not be written\n", stderr);
    exit(2);
  }
}

/// What a comparison has seen.
struct comparison {
  FILE *file;
  int cases, wrong;
  size_t bytes;
};

static void compare_case(void *context, const char *name, const void *words, size_t bytes) {
  struct comparison *seen = context;
  uint64_t size = 0;
  if (fread(&size, 8, 1, seen->file) != 1) {
    fprintf(stderr, "the file ends before case %d, %s\n", seen->cases, name);
    exit(2);
  }
  uint8_t *expected = allocated(size);
  if (size > 0 && fread(expected, size, 1, seen->file) != 1) {
    fprintf(stderr, "the file ends in case %d, %s\n", seen->cases, name);
    exit(2);
  }
  if (size != bytes || memcmp(words, expected, bytes) != 0) {
    size_t place = 0;
    while (place < size && place < bytes && ((const uint8_t *)words)[place] == expected[place]) {
      place++;
    }
    printf("case %d, %s: %zu bytes, expected %zu; first difference at byte %zu\n", seen->cases,
        name, bytes, (size_t)size, place);
    seen->wrong++;
  }
  free(expected);
  seen->cases++;
  seen->bytes += bytes;
}

static FILE *opened(const char *name, const char *mode) {
  FILE *file = fopen(name, mode);
  if (file == NULL) {
    fprintf(stderr, "%s: cannot be opened\n", name);
    exit(2);
  }
  return file;
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "write") == 0) {
    FILE *file = opened(argv[2], "wb");
    run_loops(npu_path_portable, write_case, file);
    return fclose(file) != 0;
  }
  if (argc == 3 && strcmp(argv[1], "compare") == 0) {
    int wrong = 0;
    for (int path = npu_path_portable; path <= npu_path_neon; path++) {
      // The vectors of avx512 leave other elements open.
      if (path == npu_path_avx512 || !npu_path_is_available((npu_path)path)) continue;
      struct comparison seen = {.file = opened(argv[2], "rb")};
      run_loops((npu_path)path, compare_case, &seen);
      printf("%s: %d cases, %zu bytes, %d wrong\n", path_names[path], seen.cases, seen.bytes,
          seen.wrong);
      wrong += seen.wrong;
      fclose(seen.file);
    }
    return wrong != 0;
  }
  if (argc == 3 && strcmp(argv[1], "products") == 0) {
    const int trials = atoi(argv[2]);
    int wrong = 0;
    for (int path = npu_path_avx2; path <= npu_path_neon; path++) {
      if (!npu_path_is_available((npu_path)path)) continue;
      const int found = compare_products((npu_path)path, npu_path_portable, trials);
      printf("products, %s against portable: %d trials, %d wrong\n", path_names[path], trials,
          found);
      wrong += found;
    }
    return wrong != 0;
  }
  fputs("usage: crosspath write FILE | compare FILE | products TRIALS\n", stderr);
  return 2;
}
