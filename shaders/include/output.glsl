// Outputs in f32 or f16: of kernels whose results products of f16 take.

// A variant's choice, HALF_OUTPUT.
#ifdef HALF_OUTPUT
#define OutputView Halves
#define stored(v) toHalf(v)
#else
#define OutputView Floats
#define stored(v) (v)
#endif

// A specialization constant's choice, in variants with HALF_FLOATS. Those cast the pointer, which the plainest drivers do not survive.
#ifdef HALF_FLOATS
#define ResultView Vectors
#define floatsOf(pointer) Floats(pointer)
#else
#define ResultView Floats
#define floatsOf(pointer) pointer
#endif
