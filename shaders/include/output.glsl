// Outputs in f32, or with HALF_OUTPUT in f16: of kernels whose results products of f16 take.

#ifdef HALF_OUTPUT
#define OutputView Halves
#define stored(v) toHalf(v)
#else
#define OutputView Floats
#define stored(v) (v)
#endif
