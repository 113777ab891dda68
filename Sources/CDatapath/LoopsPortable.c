#define TARGET
#define SUFFIX(name) name##_portable

#include "LoopsTemplate.h"
