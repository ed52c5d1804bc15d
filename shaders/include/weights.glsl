// Weights of a matrix on the device, read as 16-byte quads whatever their type: a run of RUN weights a quad.
// INTERLEAVE rows lie together, [row / INTERLEAVE][run][row % INTERLEAVE]: where lanes own rows, those of a tile are
// then one piece of memory that is read in order. Kernels with a subgroup a row have INTERLEAVE 1.
// Rows are padded with zeros to multiples of 64 weights. Block types keep their f16 scales, one a block of 32, in a
// second array of words that lie like the quads (ggml interleaves them, which would leave every quad unaligned).
//
//   WEIGHT_F32   4 weights a quad
//   WEIGHT_F16   8              w = f16
//   WEIGHT_BF16  8              w = the upper half of an f32
//   WEIGHT_Q8_0  16             w = scale · q,        q in -128..127
//   WEIGHT_Q4_0  32             w = scale · (q - 8),  q in 0..15; low nibbles are weights 0..15, high ones 16..31
//   WEIGHT_IQ4_NL  32           w = scale · c[q],     likewise

#extension GL_EXT_control_flow_attributes : require

#if defined(WEIGHT_F32)
const uint RUN = 4;
#elif defined(WEIGHT_F16) || defined(WEIGHT_BF16)
const uint RUN = 8;
#elif defined(WEIGHT_Q8_0)
const uint RUN = 16;
#define SCALED
#elif defined(WEIGHT_Q4_0) || defined(WEIGHT_IQ4_NL)
const uint RUN = 32;
#define SCALED
#else
#error "no WEIGHT_ type chosen"
#endif

const uint RUN_VECTORS = RUN / 4;

// Where a row of so many parts, quads or words of scales, begins; part i lies i · INTERLEAVE further.
uint rowStart(uint row, uint parts)
{
    return row / INTERLEAVE * INTERLEAVE * parts + row % INTERLEAVE;
}

uint quadAt(uint rowStart, uint run)
{
    return rowStart + run * INTERLEAVE;
}

#if defined(WEIGHT_IQ4_NL)
// The codebook -127 -104 -83 -65 -49 -35 -22 -10 1 13 25 38 53 69 89 113, ggml's kvalues_iq4nl: a polynomial that is less
// than 0.434 off at each of the 16, which rounding takes away. A table would be a load a weight.
vec4 codebook(uvec4 code)
{
    const vec4 q = vec4(code);
    return roundEven(fma(fma(fma(fma(vec4(0.001586043), q, vec4(0.03108644)), q, vec4(-1.371927)), q, vec4(24.17383)), q, vec4(-126.56701)));
}
#endif

// Vector i of a run's weights in order, without their scale.
vec4 unpackVector(uvec4 quad, uint i)
{
#if defined(WEIGHT_F32)
    return uintBitsToFloat(quad);
#elif defined(WEIGHT_F16)
    return vec4(unpackHalf2x16(quad[2 * i]), unpackHalf2x16(quad[2 * i + 1]));
#elif defined(WEIGHT_BF16)
    const uvec2 pairs = uvec2(quad[2 * i], quad[2 * i + 1]);
    const uvec2 low = pairs << 16;
    const uvec2 high = pairs & 0xFFFF0000u;
    return uintBitsToFloat(uvec4(low.x, high.x, low.y, high.y));
#elif defined(WEIGHT_Q8_0)
    const int q = int(quad[i]);
    return vec4(ivec4(q << 24, q << 16, q << 8, q) >> 24);
#else
    const uint word = quad[i % 4] >> i / 4 * 4;
    const uvec4 codes = uvec4(word, word >> 8, word >> 16, word >> 24) & 15u;
#if defined(WEIGHT_Q4_0)
    return vec4(codes) - 8.0;
#else
    return codebook(codes);
#endif
#endif
}

void unpackRun(uvec4 quad, out vec4 w[RUN_VECTORS])
{
    [[unroll]] for (uint i = 0; i < RUN_VECTORS; i++)
        w[i] = unpackVector(quad, i);
}

// A run of one row, unpacked, times its inputs, without its scale.
float runProduct(vec4 w[RUN_VECTORS], vec4 v[RUN_VECTORS])
{
    vec4 products = w[0] * v[0];
    [[unroll]] for (uint i = 1; i < RUN_VECTORS; i++)
        products = fma(w[i], v[i], products);
    return (products.x + products.y) + (products.z + products.w);
}

// A run's product with its inputs without the scale, of which `runOffset` is a part that all rows share: in Q4_0, where
// Σ (q − 8)·v = Σ q·v − 8·Σ v, so that nothing is subtracted from each weight. Codes are taken out of their words as whole bytes,
// which GPUs turn into floats in one instruction.
float runDot(uvec4 quad, vec4 v[RUN_VECTORS])
{
    vec4 w[RUN_VECTORS];
#if defined(WEIGHT_Q4_0)
    [[unroll]] for (uint i = 0; i < 4; i++)
    {
        const uint low = quad[i] & 0x0F0F0F0Fu;
        const uint high = (quad[i] >> 4) & 0x0F0F0F0Fu;
        w[i] = vec4(low & 255u, (low >> 8) & 255u, (low >> 16) & 255u, low >> 24);
        w[i + 4] = vec4(high & 255u, (high >> 8) & 255u, (high >> 16) & 255u, high >> 24);
    }
#else
    unpackRun(quad, w);
#endif
    return runProduct(w, v);
}

float runOffset(vec4 v[RUN_VECTORS])
{
#if defined(WEIGHT_Q4_0)
    vec4 sum = v[0];
    [[unroll]] for (uint i = 1; i < RUN_VECTORS; i++)
        sum += v[i];
    return -8.0 * ((sum.x + sum.y) + (sum.z + sum.w));
#else
    return 0.0;
#endif
}

// Weights that share a scale, in the types that have one.
const uint BLOCK = 32;

// Words of scales a row takes: two a word, each row from a word of its own.
uint scaleWords(uint runs)
{
    return runs * RUN / (2 * BLOCK);
}

// The scale of a row's block from the word that holds it; 1 where the type has none. Loading the word apart lets one
// load serve two blocks.
float blockScale(uint word, uint block)
{
#ifdef SCALED
    return unpackHalf2x16(word >> 16 * (block & 1)).x;
#else
    return 1.0;
#endif
}

uint loadScales(Words scales, uint row, uint runs, uint block)
{
#ifdef SCALED
    return scales.at[rowStart(row, scaleWords(runs)) + block / 2 * INTERLEAVE];
#else
    return 0;
#endif
}
