// Retention over many tokens on matrix units as VK_KHR_cooperative_matrix has them: what its kernels share. f16 factors, f32 sums.
//
// A workgroup owns TILE_M × TILE_N sums of A·B and goes through what is summed over in steps of DEPTH. Both tiles of a step
// meet in shared memory; the quads of the next step are loaded into registers before this one's are multiplied. A lies there
// as [m][depth], or with A_BY_DEPTH as [depth][m]; B as [n][depth], or with B_BY_DEPTH as [depth][n]: as in device memory.
// Key and value sizes are multiples of MATRIX_M, MATRIX_N and 8, so that a matrix is inside a state or outside.

#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_shader_subgroup_basic : require

#define HALF_FLOATS
#include "buffers.glsl"
#include "decay.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint SUBGROUP = 32;
layout(constant_id = 2) const uint MATRIX_M = 16;
layout(constant_id = 3) const uint MATRIX_N = 16;
layout(constant_id = 4) const uint MATRIX_K = 16;
layout(constant_id = 5) const uint TILE_M = 64;
layout(constant_id = 6) const uint TILE_N = 64;
layout(constant_id = 7) const uint DEPTH = 32;
layout(constant_id = 8) const uint WAVES_M = 2;
layout(constant_id = 9) const uint KEY_SIZE = 128;
layout(constant_id = 10) const uint HEADS = 1;
layout(constant_id = 11) const uint GROUP = 1;

const uint SUBGROUPS = gl_WorkGroupSize.x / SUBGROUP;
const uint WAVES_N = SUBGROUPS / WAVES_M;
const uint OWN_M = TILE_M / (WAVES_M * MATRIX_M); // matrices of a subgroup
const uint OWN_N = TILE_N / (WAVES_N * MATRIX_N);

#ifdef A_BY_DEPTH
const uint A_LINES = DEPTH;
const uint A_QUADS = TILE_M / 8;
#define A_LAYOUT gl_CooperativeMatrixLayoutColumnMajor
#define aAt(m, k) ((k) * A_STRIDE + (m) / 8)
#else
const uint A_LINES = TILE_M;
const uint A_QUADS = DEPTH / 8;
#define A_LAYOUT gl_CooperativeMatrixLayoutRowMajor
#define aAt(m, k) ((m) * A_STRIDE + (k) / 8)
#endif
#ifdef B_BY_DEPTH
const uint B_LINES = DEPTH;
const uint B_QUADS = TILE_N / 8;
#define B_LAYOUT gl_CooperativeMatrixLayoutRowMajor
#define bAt(k, n) ((k) * B_STRIDE + (n) / 8)
#else
const uint B_LINES = TILE_N;
const uint B_QUADS = DEPTH / 8;
#define B_LAYOUT gl_CooperativeMatrixLayoutColumnMajor
#define bAt(k, n) ((n) * B_STRIDE + (k) / 8)
#endif

// One quad more than needed, against bank conflicts.
const uint A_STRIDE = A_QUADS + 1;
const uint B_STRIDE = B_QUADS + 1;
const uint OWN_A = (A_LINES * A_QUADS + gl_WorkGroupSize.x - 1) / gl_WorkGroupSize.x;
const uint OWN_B = (B_LINES * B_QUADS + gl_WorkGroupSize.x - 1) / gl_WorkGroupSize.x;

shared uvec4 aTile[A_LINES * A_STRIDE];
shared uvec4 bTile[B_LINES * B_STRIDE];
shared float staged[SUBGROUPS * MATRIX_M * MATRIX_N];

uvec4 aOwn[OWN_A];
uvec4 bOwn[OWN_B];
coopmat<float, gl_ScopeSubgroup, MATRIX_M, MATRIX_N, gl_MatrixUseAccumulator> sums[OWN_M * OWN_N];

// The kernel's: eight elements of a step's tiles, zero outside of what there is; and what becomes of them on the way.
uvec4 loadA(uvec2 step_, uint line, uint quad);
uvec4 loadB(uvec2 step_, uint line, uint quad);
uvec4 readyA(uvec2 step_, uint line, uvec4 eight);
uvec4 readyB(uvec2 step_, uint line, uvec4 eight);

void load(uvec2 step_)
{
    [[unroll]] for (uint n = 0; n < OWN_A; n++)
    {
        const uint i = min(n * gl_WorkGroupSize.x + gl_LocalInvocationID.x, A_LINES * A_QUADS - 1);
        aOwn[n] = loadA(step_, i / A_QUADS, i % A_QUADS);
    }
    [[unroll]] for (uint n = 0; n < OWN_B; n++)
    {
        const uint i = min(n * gl_WorkGroupSize.x + gl_LocalInvocationID.x, B_LINES * B_QUADS - 1);
        bOwn[n] = loadB(step_, i / B_QUADS, i % B_QUADS);
    }
}

void stage(uvec2 step_)
{
    [[unroll]] for (uint n = 0; n < OWN_A; n++)
    {
        const uint i = n * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
        if (A_LINES * A_QUADS % gl_WorkGroupSize.x == 0 || i < A_LINES * A_QUADS)
            aTile[i / A_QUADS * A_STRIDE + i % A_QUADS] = readyA(step_, i / A_QUADS, aOwn[n]);
    }
    [[unroll]] for (uint n = 0; n < OWN_B; n++)
    {
        const uint i = n * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
        if (B_LINES * B_QUADS % gl_WorkGroupSize.x == 0 || i < B_LINES * B_QUADS)
            bTile[i / B_QUADS * B_STRIDE + i % B_QUADS] = readyB(step_, i / B_QUADS, bOwn[n]);
    }
}

// Where the subgroup's matrices begin in the workgroup's tile.
uvec2 ownCorner()
{
    return uvec2(gl_SubgroupID % WAVES_M * OWN_M * MATRIX_M, gl_SubgroupID / WAVES_M * OWN_N * MATRIX_N);
}

void multiply(uvec2 corner)
{
    [[unroll]] for (uint k = 0; k < DEPTH; k += MATRIX_K)
    {
        coopmat<float16_t, gl_ScopeSubgroup, MATRIX_M, MATRIX_K, gl_MatrixUseA> a[OWN_M];
        [[unroll]] for (uint m = 0; m < OWN_M; m++)
            coopMatLoad(a[m], aTile, aAt(corner.x + m * MATRIX_M, k), A_STRIDE, A_LAYOUT);
        [[unroll]] for (uint n = 0; n < OWN_N; n++)
        {
            coopmat<float16_t, gl_ScopeSubgroup, MATRIX_K, MATRIX_N, gl_MatrixUseB> b;
            coopMatLoad(b, bTile, bAt(k, corner.y + n * MATRIX_N), B_STRIDE, B_LAYOUT);
            [[unroll]] for (uint m = 0; m < OWN_M; m++)
                sums[m * OWN_N + n] = coopMatMulAdd(a[m], b, sums[m * OWN_N + n]);
        }
    }
}

// One step: its tiles go to shared memory, the next one's are loaded meanwhile. A next step of (0, 0) is none.
void take(uvec2 step_, uvec2 next, uvec2 corner, bool last)
{
    barrier();
    stage(step_);
    barrier();
    if (!last)
        load(next);
    multiply(corner);
}

void clearSums()
{
    [[unroll]] for (uint i = 0; i < OWN_M * OWN_N; i++)
        sums[i] = coopmat<float, gl_ScopeSubgroup, MATRIX_M, MATRIX_N, gl_MatrixUseAccumulator>(0.0);
}

const uint MATRIX_SIZE = MATRIX_M * MATRIX_N;

// Where a subgroup's matrices pass through shared memory, since who holds which of their elements is not said.
uint ownStage()
{
    return gl_SubgroupID * MATRIX_SIZE;
}

// Eight f16 times a factor of at most 1.
uvec4 scaled(uvec4 eight, float factor)
{
    return uvec4(
        packHalf2x16(unpackHalf2x16(eight.x) * factor), packHalf2x16(unpackHalf2x16(eight.y) * factor),
        packHalf2x16(unpackHalf2x16(eight.z) * factor), packHalf2x16(unpackHalf2x16(eight.w) * factor));
}

// What scores and the states that chunks begin with are multiplied by, so that f16 holds them: about √(1 − γ), a power of two.
// |S| grows towards 1/(1 − γ), as its square root where keys are at random.
float headScale(vec2 gamma)
{
    const int exponent = (floatBitsToInt(max(1.0 - gamma.x, 5.9604645e-8)) >> 23) - 127;
    return intBitsToFloat((exponent >> 1) + 127 << 23);
}
