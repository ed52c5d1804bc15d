#version 460
// Y = X·Wᵀ (matmul.glsl) in f32, for devices without matrix units and where results shall be exact. Tiles of X and of the
// unpacked W meet in shared memory, column by column, so that a thread reads its tokens and its rows as vectors; it holds
// THREAD_TOKENS × THREAD_ROWS sums (of each half), each step of a column that many multiply-adds on as many loads as their sum.

#extension GL_GOOGLE_include_directive : require

#define WeightView Quads
#define InputView Vectors
#include "matmul.glsl"

layout(constant_id = 11) const uint THREAD_TOKENS = 4;
layout(constant_id = 12) const uint THREAD_ROWS = 4;

const uint TOKEN_VECTORS = THREAD_TOKENS / 4;
const uint ROW_VECTORS = THREAD_ROWS / 4;

// Vectors from one column of a tile to the next; one more than needed, against bank conflicts as columns are written.
const uint X_STRIDE = TILE_TOKENS / 4 + 1;
const uint W_STRIDE = TILE_ROWS / 4 + 1;

shared vec4 xs[DEPTH * X_STRIDE];
shared vec4 ws[HALVES * DEPTH * W_STRIDE];

void loadInputs(uint firstToken, uint column)
{
    for (uint i = gl_LocalInvocationID.x; i < TILE_TOKENS * DEPTH / 4; i += gl_WorkGroupSize.x)
    {
        const uint token = i / (DEPTH / 4);
        const uint vector = i % (DEPTH / 4);
        const vec4 v = x.at[min(firstToken + token, tokens - 1) * (xStride / 4) + column / 4 + vector];
        [[unroll]] for (uint e = 0; e < 4; e++)
            xs[(4 * vector + e) * X_STRIDE + token / 4][token % 4] = v[e];
    }
}

void loadWeights(uint firstRow, uint column)
{
    for (uint i = gl_LocalInvocationID.x; i < HALVES * TILE_ROWS * DEPTH / RUN; i += gl_WorkGroupSize.x)
    {
        const uint part = i / (TILE_ROWS * DEPTH / RUN);
        const uint row = i / (DEPTH / RUN) % TILE_ROWS;
        const uint run = column / RUN + i % (DEPTH / RUN);
        const uint source = matrixRow(part, min(firstRow + row, rows - 1));
        const uint block = run * RUN / BLOCK;
        const float scale = blockScale(loadScales(scales, source, runs, block), block);
        vec4 w[RUN_VECTORS];
        unpackRun(weights.at[quadAt(rowStart(source, runs), run)], w);
        const uint at = (part * DEPTH + i % (DEPTH / RUN) * RUN) * W_STRIDE + row / 4;
        [[unroll]] for (uint e = 0; e < RUN; e++)
            ws[at + e * W_STRIDE][row % 4] = scale * w[e / 4][e % 4];
    }
}

void main()
{
    const uvec2 tile = ownTile();
    const uint firstToken = tile.x * TILE_TOKENS;
    const uint firstRow = tile.y * TILE_ROWS;
    const uint tokenVector = gl_LocalInvocationID.x / (TILE_ROWS / THREAD_ROWS) * TOKEN_VECTORS;
    const uint rowVector = gl_LocalInvocationID.x % (TILE_ROWS / THREAD_ROWS) * ROW_VECTORS;
    vec4 sums[HALVES][THREAD_TOKENS][ROW_VECTORS];
    [[unroll]] for (uint h = 0; h < HALVES; h++)
        [[unroll]] for (uint t = 0; t < THREAD_TOKENS; t++)
            [[unroll]] for (uint r = 0; r < ROW_VECTORS; r++)
                sums[h][t][r] = vec4(0.0);

    const uvec2 columns = ownColumns();
    for (uint column = columns.x; column < columns.y; column += DEPTH)
    {
        loadInputs(firstToken, column);
        loadWeights(firstRow, column);
        barrier();
        [[dont_unroll]] for (uint k = 0; k < DEPTH; k++)
        {
            vec4 v[TOKEN_VECTORS];
            [[unroll]] for (uint t = 0; t < TOKEN_VECTORS; t++)
                v[t] = xs[k * X_STRIDE + tokenVector + t];
            [[unroll]] for (uint h = 0; h < HALVES; h++)
                [[unroll]] for (uint r = 0; r < ROW_VECTORS; r++)
                {
                    const vec4 w = ws[(h * DEPTH + k) * W_STRIDE + rowVector + r];
                    [[unroll]] for (uint t = 0; t < THREAD_TOKENS; t++)
                        sums[h][t][r] = fma(vec4(v[t / 4][t % 4]), w, sums[h][t][r]);
                }
        }
        barrier();
    }

    [[unroll]] for (uint t = 0; t < THREAD_TOKENS; t++)
        [[unroll]] for (uint r = 0; r < THREAD_ROWS; r++)
        {
            const uint row = firstRow + 4 * rowVector + r;
            deliver(firstToken, 4 * tokenVector + t, row, sums[0][t][r / 4][r % 4], sums[HALVES - 1][t][r / 4][r % 4]);
        }
    if (SPLIT && isLast())
        finishTile(firstToken, firstRow);
}
