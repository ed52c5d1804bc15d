#version 460
// C = op(A)·op(B) (product.glsl) on matrix units as VK_KHR_cooperative_matrix has them: factors are f32 in memory and f16 in shared memory, sums f32. Matrices
// of a subgroup, MATRIX_M × MATRIX_N × MATRIX_K, one of the sizes that the device lists.
//
// Tiles lie in shared memory as in memory: whether k runs along their rows or from row to row is said as a matrix is loaded. Pieces of eight values of the
// next tiles are loaded into registers before this one's are multiplied. Subgroups stand WAVES_M × WAVES_N over the workgroup's tile. Factors
// lie at whole 16 bytes, rows of them a multiple of eight floats apart.

#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_shader_subgroup_basic : require

#define HALF_FLOATS
#define FactorView Vectors
#include "product.glsl"

layout(constant_id = 8) const uint SUBGROUP = 32;
layout(constant_id = 9) const uint WAVES_M = 2;
layout(constant_id = 10) const uint MATRIX_M = 16;
layout(constant_id = 11) const uint MATRIX_N = 16;
layout(constant_id = 12) const uint MATRIX_K = 16;

const uint SUBGROUPS = gl_WorkGroupSize.x / SUBGROUP;
const uint WAVES_N = SUBGROUPS / WAVES_M;
const uint OWN_M = TILE_M / (WAVES_M * MATRIX_M); // matrices of a subgroup
const uint OWN_N = TILE_N / (WAVES_N * MATRIX_N);

const bool A_BY_K = FORM == FORM_WEIGHT_GRADIENT;
const bool B_BY_K = FORM != FORM_FORWARD;

// Pieces in a row of a tile, and from one row to the next: one more, against bank conflicts.
const uint PIECE = 8;
const uint A_ROW = (A_BY_K ? TILE_M : DEPTH) / PIECE;
const uint B_ROW = (B_BY_K ? TILE_N : DEPTH) / PIECE;
const uint A_STRIDE = A_ROW + 1;
const uint B_STRIDE = B_ROW + 1;
const uint A_PIECES = TILE_M * DEPTH / PIECE;
const uint B_PIECES = TILE_N * DEPTH / PIECE;
const uint OWN_A_PIECES = (A_PIECES + gl_WorkGroupSize.x - 1) / gl_WorkGroupSize.x;
const uint OWN_B_PIECES = (B_PIECES + gl_WorkGroupSize.x - 1) / gl_WorkGroupSize.x;

shared uvec4 as[A_PIECES / A_ROW * A_STRIDE];
shared uvec4 bs[B_PIECES / B_ROW * B_STRIDE];
shared float staged[SUBGROUPS * MATRIX_M * MATRIX_N];

vec4 aPieces[2 * OWN_A_PIECES];
vec4 bPieces[2 * OWN_B_PIECES];

// Eight values of a factor, zero from the end of k on. A row or column of C beyond the last is another one instead.
void fetch(FactorView factor, uint stride, bool byK, uint row, uint piece, uint first, uint count, uvec2 depth, out vec4 low, out vec4 high)
{
    const uint own = depth.x + (byK ? row : PIECE * piece);
    const uint inside = min(own, depth.y - 1);
    const uint at = byK
        ? inside * stride + min(first + PIECE * piece, (count - 1) / PIECE * PIECE)
        : min(first + row, count - 1) * stride + inside / PIECE * PIECE;
    low = factor.at[at / 4];
    high = factor.at[at / 4 + 1];
    if (own + (byK ? 1 : PIECE) > depth.y)
    {
        const uvec4 steps = byK ? uvec4(0) : uvec4(0, 1, 2, 3);
        low = mix(vec4(0.0), low, lessThan(own + steps, uvec4(depth.y)));
        high = mix(vec4(0.0), high, lessThan(own + steps + (byK ? 0 : 4), uvec4(depth.y)));
    }
}

void load(uvec2 tile, uvec2 depth)
{
    [[unroll]] for (uint p = 0; p < OWN_A_PIECES; p++)
    {
        const uint i = min(p * gl_WorkGroupSize.x + gl_LocalInvocationID.x, A_PIECES - 1);
        fetch(a, aStride, A_BY_K, i / A_ROW, i % A_ROW, tile.x, m, depth, aPieces[2 * p], aPieces[2 * p + 1]);
    }
    [[unroll]] for (uint p = 0; p < OWN_B_PIECES; p++)
    {
        const uint i = min(p * gl_WorkGroupSize.x + gl_LocalInvocationID.x, B_PIECES - 1);
        fetch(b, bStride, B_BY_K, i / B_ROW, i % B_ROW, tile.y, n, depth, bPieces[2 * p], bPieces[2 * p + 1]);
    }
}

// Eight values as f16.
uvec4 halves(vec4 low, vec4 high)
{
    low = clamp(low, -HALF_MAX, HALF_MAX);
    high = clamp(high, -HALF_MAX, HALF_MAX);
    return uvec4(packFloat2x16(f16vec2(low.xy)), packFloat2x16(f16vec2(low.zw)), packFloat2x16(f16vec2(high.xy)), packFloat2x16(f16vec2(high.zw)));
}

void stage()
{
    [[unroll]] for (uint p = 0; p < OWN_A_PIECES; p++)
    {
        const uint i = p * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
        if (A_PIECES % gl_WorkGroupSize.x == 0 || i < A_PIECES)
            as[i / A_ROW * A_STRIDE + i % A_ROW] = halves(aPieces[2 * p], aPieces[2 * p + 1]);
    }
    [[unroll]] for (uint p = 0; p < OWN_B_PIECES; p++)
    {
        const uint i = p * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
        if (B_PIECES % gl_WorkGroupSize.x == 0 || i < B_PIECES)
            bs[i / B_ROW * B_STRIDE + i % B_ROW] = halves(bPieces[2 * p], bPieces[2 * p + 1]);
    }
}

coopmat<float, gl_ScopeSubgroup, MATRIX_M, MATRIX_N, gl_MatrixUseAccumulator> sums[OWN_M * OWN_N];

void multiply(uint row, uint column)
{
    [[unroll]] for (uint own = 0; own < DEPTH; own += MATRIX_K)
    {
        coopmat<float16_t, gl_ScopeSubgroup, MATRIX_M, MATRIX_K, gl_MatrixUseA> rows[OWN_M];
        [[unroll]] for (uint i = 0; i < OWN_M; i++)
        {
            const uint at = row + i * MATRIX_M;
            if (A_BY_K)
                coopMatLoad(rows[i], as, own * A_STRIDE + at / PIECE, A_STRIDE, gl_CooperativeMatrixLayoutColumnMajor);
            else
                coopMatLoad(rows[i], as, at * A_STRIDE + own / PIECE, A_STRIDE, gl_CooperativeMatrixLayoutRowMajor);
        }
        [[unroll]] for (uint j = 0; j < OWN_N; j++)
        {
            const uint at = column + j * MATRIX_N;
            coopmat<float16_t, gl_ScopeSubgroup, MATRIX_K, MATRIX_N, gl_MatrixUseB> columns;
            if (B_BY_K)
                coopMatLoad(columns, bs, own * B_STRIDE + at / PIECE, B_STRIDE, gl_CooperativeMatrixLayoutRowMajor);
            else
                coopMatLoad(columns, bs, at * B_STRIDE + own / PIECE, B_STRIDE, gl_CooperativeMatrixLayoutColumnMajor);
            [[unroll]] for (uint i = 0; i < OWN_M; i++)
                sums[i * OWN_N + j] = coopMatMulAdd(rows[i], columns, sums[i * OWN_N + j]);
        }
    }
}

// Matrices through shared memory, since who holds which of their elements is the device's secret.
void deliverMatrix(uint firstRow, uint firstColumn, uint i, uint j)
{
    const uint own = gl_SubgroupID * MATRIX_M * MATRIX_N;
    coopMatStore(sums[i * OWN_N + j], staged, own, MATRIX_N, gl_CooperativeMatrixLayoutRowMajor);
    subgroupBarrier();
    [[unroll]] for (uint turn = 0; turn < (MATRIX_M * MATRIX_N + SUBGROUP - 1) / SUBGROUP; turn++)
    {
        const uint e = turn * SUBGROUP + gl_SubgroupInvocationID;
        const uint row = firstRow + i * MATRIX_M + e / MATRIX_N;
        const uint column = firstColumn + j * MATRIX_N + e % MATRIX_N;
        if (e < MATRIX_M * MATRIX_N && row < m && column < n)
            deliver(row, column, staged[own + e]);
    }
    subgroupBarrier();
}

void main()
{
    const uvec2 tile = ownTile();
    const uint row = gl_SubgroupID % WAVES_M * OWN_M * MATRIX_M;
    const uint column = gl_SubgroupID / WAVES_M * OWN_N * MATRIX_N;
    [[unroll]] for (uint i = 0; i < OWN_M * OWN_N; i++)
        sums[i] = coopmat<float, gl_ScopeSubgroup, MATRIX_M, MATRIX_N, gl_MatrixUseAccumulator>(0.0);

    uvec2 depth = ownDepth();
    load(tile, depth);
    for (; depth.x < depth.y; depth.x += DEPTH)
    {
        barrier();
        stage();
        barrier();
        if (depth.x + DEPTH < depth.y)
            load(tile, uvec2(depth.x + DEPTH, depth.y));
        multiply(row, column);
    }

    [[unroll]] for (uint i = 0; i < OWN_M; i++)
        [[unroll]] for (uint j = 0; j < OWN_N; j++)
            deliverMatrix(tile.x + row, tile.y + column, i, j);
}
