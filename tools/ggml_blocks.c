// Writes tests/fixtures/ggml_blocks.bin: inputs and what ggml's reference formulas give for them in C's float
// semantics (ggml-quants.c quantize_row_q8_0_ref, quantize_row_q4_0_ref, quantize_iq4_nl without an importance matrix, and
// their inverses; ggml-impl.h ggml_compute_fp32_to_fp16 and ggml_compute_fp32_to_bf16). Run by hand from the repository root:
//
//   cc -O2 -ffp-contract=off -o /tmp/ggml_blocks tools/ggml_blocks.c -lm && /tmp/ggml_blocks > tests/fixtures/ggml_blocks.bin
//
// Layout, little-endian: uint32 blocks; float x[blocks][32]; uint16 f16[blocks][32]; uint16 bf16[blocks][32];
// q8_0[blocks] of 34 bytes; q4_0[blocks] of 18 bytes; float y8[blocks][32]; float y4[blocks][32];
// iq4_nl[blocks] of 18 bytes; float ynl[blocks][32].
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { LENGTH = 32, BLOCKS = 224 };

typedef struct { uint16_t d; int8_t q[LENGTH]; } block_q8_0;
typedef struct { uint16_t d; uint8_t q[LENGTH / 2]; } block_q4_0;
typedef block_q4_0 block_iq4_nl;

static const int8_t codebook[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

static float x[BLOCKS][LENGTH];

static uint32_t bits_of(float f) { uint32_t u; memcpy(&u, &f, 4); return u; }
static float float_of(uint32_t u) { float f; memcpy(&f, &u, 4); return f; }

static uint16_t to_f16(float f) {
    float base = (fabsf(f) * 0x1.0p+112f) * 0x1.0p-110f;
    const uint32_t w = bits_of(f), shl1 = w + w, sign = w & 0x80000000u;
    uint32_t bias = shl1 & 0xFF000000u;
    if (bias < 0x71000000u) bias = 0x71000000u;
    base = float_of((bias >> 1) + 0x07800000u) + base;
    const uint32_t bits = bits_of(base);
    const uint32_t nonsign = ((bits >> 13) & 0x7C00u) + (bits & 0x0FFFu);
    return (sign >> 16) | (shl1 > 0xFF000000u ? 0x7E00u : nonsign);
}

static float from_f16(uint16_t h) {
    const int exponent = (h >> 10) & 31, mantissa = h & 1023;
    float f = exponent == 0 ? ldexpf(mantissa, -24)
            : exponent == 31 ? (mantissa ? NAN : INFINITY)
            : ldexpf(1024 + mantissa, exponent - 25);
    return h & 0x8000 ? -f : f;
}

static uint16_t to_bf16(float f) {
    const uint32_t u = bits_of(f);
    if ((u & 0x7fffffff) > 0x7f800000) return (u >> 16) | 64;
    return (u + (0x7fff + ((u >> 16) & 1))) >> 16;
}

static void to_q8_0(const float *v, block_q8_0 *y) {
    float amax = 0;
    for (int j = 0; j < LENGTH; j++) { const float a = fabsf(v[j]); amax = amax > a ? amax : a; }
    const float d = amax / ((1 << 7) - 1);
    const float id = d ? 1.0f / d : 0.0f;
    y->d = to_f16(d);
    for (int j = 0; j < LENGTH; j++) { const float x0 = v[j] * id; y->q[j] = roundf(x0); }
}

static void to_q4_0(const float *v, block_q4_0 *y) {
    float amax = 0, max = 0;
    for (int j = 0; j < LENGTH; j++) if (amax < fabsf(v[j])) { amax = fabsf(v[j]); max = v[j]; }
    const float d = max / -8;
    const float id = d ? 1.0f / d : 0.0f;
    y->d = to_f16(d);
    for (int j = 0; j < LENGTH / 2; j++) {
        const float x0 = v[j] * id, x1 = v[LENGTH / 2 + j] * id;
        const int8_t i0 = (int8_t)(x0 + 8.5f), i1 = (int8_t)(x1 + 8.5f);
        const uint8_t xi0 = i0 < 15 ? i0 : 15, xi1 = i1 < 15 ? i1 : 15;
        y->q[j] = xi0 | (xi1 << 4);
    }
}

static int nearest(float v) {
    if (v <= codebook[0]) return 0;
    if (v >= codebook[15]) return 15;
    int low = 0, high = 15;
    while (high - low > 1) {
        const int middle = (low + high) / 2;
        if (v < codebook[middle]) high = middle; else low = middle;
    }
    return v - codebook[high - 1] < codebook[high] - v ? high - 1 : high;
}

static void sums_of(const float *v, float id, float *sumqx, float *sumq2) {
    *sumqx = *sumq2 = 0;
    for (int j = 0; j < LENGTH; j++) {
        const float q = codebook[nearest(id * v[j])], w = v[j] * v[j];
        *sumqx += w * q * v[j];
        *sumq2 += w * q * q;
    }
}

// quantize_row_iq4_nl_impl for one block of a block, with ntry = 7.
static void to_iq4_nl(const float *v, block_iq4_nl *y) {
    float amax = 0, max = 0, d = 0;
    for (int j = 0; j < LENGTH; j++) if (amax < fabsf(v[j])) { amax = fabsf(v[j]); max = v[j]; }
    if (amax >= 1e-15f) {
        float sumqx, sumq2;
        d = -max / codebook[0];
        sums_of(v, 1 / d, &sumqx, &sumq2);
        d = sumqx / sumq2;
        float best = d * sumqx;
        for (int i = -7; i <= 7; i++) {
            sums_of(v, (i + codebook[0]) / max, &sumqx, &sumq2);
            if (sumq2 > 0 && sumqx * sumqx > best * sumq2) { d = sumqx / sumq2; best = d * sumqx; }
        }
    }
    y->d = to_f16(d);
    const float id = d ? 1 / d : 0;
    for (int j = 0; j < LENGTH / 2; j++) y->q[j] = nearest(id * v[j]) | (nearest(id * v[j + LENGTH / 2]) << 4);
}

static uint32_t next(void) {
    static uint32_t state = 2463534242u;
    state ^= state << 13; state ^= state >> 17; state ^= state << 5;
    return state;
}

static float uniform(void) { return (int32_t)next() * 0x1.0p-31f; }

static void fill(void) {
    for (int b = 0; b < BLOCKS; b++) {
        const float scale = ldexpf(1.0f, (int)(next() % 40) - 28);
        for (int j = 0; j < LENGTH; j++) {
            float *v = &x[b][j];
            switch (b) {
                case 0: *v = 0.0f; break;
                case 1: *v = -0.0f; break;
                case 2: *v = j % 2 ? 1.0f : -1.0f; break;                     // equal magnitudes: the first one decides q4_0's sign
                case 3: *v = j % 2 ? -1.0f : 1.0f; break;
                case 4: *v = j == 31 ? 127.0f : (j - 16) + 0.5f; break;      // ties of q8_0: d is 1
                case 5: *v = j == 0 ? -127.0f : (j - 16) * 4 + 0.5f; break;
                case 6: *v = j == 7 ? -8.0f : (j - 16) * 0.5f; break;         // ties of q4_0: d is 1
                case 7: *v = j == 7 ? 8.0f : (j - 16) * 0.5f; break;
                case 8: *v = (j - 15) * 65504.0f / 16; break;                 // up to the largest half
                case 9: *v = j == 3 ? -65504.0f : uniform() * 65504.0f; break;
                case 10: *v = (j + 1) * 0x1.0p-24f; break;                    // subnormal halves
                case 11: *v = (j - 16) * 0x1.0p-25f; break;                   // and ties between them
                case 12: *v = (j - 16) * 0x1.0p-20f; break;
                case 13: *v = 1 + j * 0x1.0p-11f; break;                      // ties of f16
                case 14: *v = -1 - j * 0x1.0p-8f; break;                      // ties of bf16
                case 15: *v = j == 31 ? 127.0f : nextafterf(j + 0.5f, 0); break;
                case 16: *v = j == 31 ? 127.0f : nextafterf(-j - 0.5f, -FLT_MAX); break;
                case 17: *v = (j - 16) * 0x1.0p-120f; break;
                case 18: *v = j == 20 ? 1e-3f : 0.0f; break;
                case 19: *v = j < 30 ? -1e6f * j : 0.0f; break;               // beyond f16, but not the scale of a block
                default: *v = uniform() * uniform() * scale; break;
            }
        }
    }
}

int main(void) {
    static uint16_t f16[BLOCKS][LENGTH], bf16[BLOCKS][LENGTH];
    static block_q8_0 q8[BLOCKS];
    static block_q4_0 q4[BLOCKS];
    static block_iq4_nl nl[BLOCKS];
    static float y8[BLOCKS][LENGTH], y4[BLOCKS][LENGTH], ynl[BLOCKS][LENGTH];
    const uint32_t blocks = BLOCKS;
    fill();
    for (int b = 0; b < BLOCKS; b++) {
        to_q8_0(x[b], &q8[b]);
        to_q4_0(x[b], &q4[b]);
        to_iq4_nl(x[b], &nl[b]);
        for (int j = 0; j < LENGTH; j++) {
            f16[b][j] = to_f16(x[b][j]);
            bf16[b][j] = to_bf16(x[b][j]);
            y8[b][j] = q8[b].q[j] * from_f16(q8[b].d);
            y4[b][j] = (((q4[b].q[j % 16] >> (j < 16 ? 0 : 4)) & 15) - 8) * from_f16(q4[b].d);
            ynl[b][j] = codebook[(nl[b].q[j % 16] >> (j < 16 ? 0 : 4)) & 15] * from_f16(nl[b].d);
        }
    }
    fwrite(&blocks, sizeof blocks, 1, stdout);
    fwrite(x, sizeof x, 1, stdout);
    fwrite(f16, sizeof f16, 1, stdout);
    fwrite(bf16, sizeof bf16, 1, stdout);
    fwrite(q8, sizeof q8, 1, stdout);
    fwrite(q4, sizeof q4, 1, stdout);
    fwrite(y8, sizeof y8, 1, stdout);
    fwrite(y4, sizeof y4, 1, stdout);
    fwrite(nl, sizeof nl, 1, stdout);
    fwrite(ynl, sizeof ynl, 1, stdout);
    return 0;
}
