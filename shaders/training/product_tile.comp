#version 460
// C = op(A)·op(B) (product.glsl) in f32 on any device. Tiles of both factors meet in shared memory, k by k, so that a thread reads its rows and its
// columns as vectors; it holds THREAD_M × THREAD_N sums. Factors are loaded float by float, neighbours in memory by neighbours among
// the threads: nothing has to be aligned.

#extension GL_GOOGLE_include_directive : require

#define FactorView Floats
#include "product.glsl"

layout(constant_id = 8) const uint THREAD_M = 4;
layout(constant_id = 9) const uint THREAD_N = 4;

const uint M_VECTORS = THREAD_M / 4;
const uint N_VECTORS = THREAD_N / 4;
const uint THREADS_N = TILE_N / THREAD_N;

// Vectors from one k of a tile to the next; one more than needed, against bank conflicts as k are written.
const uint A_STRIDE = TILE_M / 4 + 1;
const uint B_STRIDE = TILE_N / 4 + 1;

shared vec4 as[DEPTH * A_STRIDE];
shared vec4 bs[DEPTH * B_STRIDE];

void loadA(uint first, uvec2 depth)
{
    for (uint i = gl_LocalInvocationID.x; i < TILE_M * DEPTH; i += gl_WorkGroupSize.x)
    {
        const bool transposed = FORM == FORM_WEIGHT_GRADIENT;
        const uint row = transposed ? i % TILE_M : i / DEPTH;
        const uint own = transposed ? i / TILE_M : i % DEPTH;
        const uint source = min(first + row, m - 1);
        const uint at = depth.x + own;
        float value = 0.0;
        if (at < depth.y)
            value = a.at[transposed ? at * aStride + source : source * aStride + at];
        as[own * A_STRIDE + row / 4][row % 4] = value;
    }
}

void loadB(uint first, uvec2 depth)
{
    for (uint i = gl_LocalInvocationID.x; i < TILE_N * DEPTH; i += gl_WorkGroupSize.x)
    {
        const bool transposed = FORM == FORM_FORWARD;
        const uint column = transposed ? i / DEPTH : i % TILE_N;
        const uint own = transposed ? i % DEPTH : i / TILE_N;
        const uint source = min(first + column, n - 1);
        const uint at = depth.x + own;
        float value = 0.0;
        if (at < depth.y)
            value = b.at[transposed ? source * bStride + at : at * bStride + source];
        bs[own * B_STRIDE + column / 4][column % 4] = value;
    }
}

void main()
{
    const uvec2 tile = ownTile();
    const uint rowVector = gl_LocalInvocationID.x / THREADS_N;
    const uint columnVector = gl_LocalInvocationID.x % THREADS_N;
    vec4 sums[THREAD_M][N_VECTORS];
    [[unroll]] for (uint i = 0; i < THREAD_M; i++)
        [[unroll]] for (uint j = 0; j < N_VECTORS; j++)
            sums[i][j] = vec4(0.0);

    for (uvec2 depth = ownDepth(); depth.x < depth.y; depth.x += DEPTH)
    {
        loadA(tile.x, depth);
        loadB(tile.y, depth);
        barrier();
        [[dont_unroll]] for (uint own = 0; own < DEPTH; own++)
        {
            vec4 rows[M_VECTORS];
            [[unroll]] for (uint i = 0; i < M_VECTORS; i++)
                rows[i] = as[own * A_STRIDE + i * (TILE_M / THREAD_M) + rowVector];
            [[unroll]] for (uint j = 0; j < N_VECTORS; j++)
            {
                const vec4 columns = bs[own * B_STRIDE + j * THREADS_N + columnVector];
                [[unroll]] for (uint i = 0; i < THREAD_M; i++)
                    sums[i][j] = fma(vec4(rows[i / 4][i % 4]), columns, sums[i][j]);
            }
        }
        barrier();
    }

    // Vectors of a thread lie apart by those of all threads, so that neighbours read neighbours.
    [[unroll]] for (uint i = 0; i < THREAD_M; i++)
        [[unroll]] for (uint j = 0; j < THREAD_N; j++)
        {
            const uint row = tile.x + 4 * (i / 4 * (TILE_M / THREAD_M) + rowVector) + i % 4;
            const uint column = tile.y + 4 * (j / 4 * THREADS_N + columnVector) + j % 4;
            if (row < m && column < n)
                deliver(row, column, sums[i][j / 4][j % 4]);
        }
}
